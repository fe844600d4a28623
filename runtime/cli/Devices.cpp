//===- runtime/cli/Devices.cpp - devices and library ----------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/cli/Command.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace pantile::cli {

using nlohmann::json;

void addDevices(Program &program) {
  CLI::App *command = program.app.add_subcommand("devices", "backends and their devices; what is absent, with the reason");
  command->callback([&program] {
    program.run = [&program] {
      Check check;
      pantile_string *text;
      check(pantile_list_backends(nullptr, &text, &check));
      std::string answer = take(text);
      if (program.json) {
        fmt::print("{}\n", answer);
        return 0;
      }
      for (const json &plugin : json::parse(answer)) {
        std::string name = plugin.value("name", "?"), half = plugin.value("half", "");
        if (!plugin.value("usable", false))
          fmt::print("{:<10} {} half absent: {}\n", name, half, plugin.value("reason", ""));
        else if (half == "device")
          for (const json &device : plugin["devices"])
            fmt::print("{:<10} {}:{} {} ({})\n", name, name, device.value("ordinal", 0), device.value("name", ""),
                       device.value("target", ""));
      }
      return 0;
    };
  });
}

void addLibrary(Program &program) {
  CLI::App *command = program.app.add_subcommand("library", "the standard operators, their arguments and options");
  command->callback([&program] {
    program.run = [&program] {
      Check check;
      pantile_string *text;
      check(pantile_library_describe(&text, &check));
      std::string answer = take(text);
      if (program.json) {
        fmt::print("{}\n", answer);
        return 0;
      }
      for (const json &op : json::parse(answer)) {
        std::string arguments;
        for (const json &argument : op["arguments"]) arguments += (arguments.empty() ? "" : ", ") + argument.get<std::string>();
        fmt::print("{}({})\n    {}\n", op.value("name", "?"), arguments, op.value("summary", ""));
        for (const json &option : op["options"]) {
          std::string values;
          for (const json &value : option["values"]) values += (values.empty() ? "" : "|") + value.get<std::string>();
          fmt::print("    {}={}  {}\n", option.value("name", "?"), values.empty() ? option.value("default", "") : values,
                     option.value("summary", ""));
        }
      }
      return 0;
    };
  });
}

} // namespace pantile::cli
