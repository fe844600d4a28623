//===- tests/robustness/KernelTest.cpp - kernels and configurations -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Malformed and ill-formed IR, operators and options that do not exist, shapes that are none, configurations out of the
// space: by the command line.
//
//===----------------------------------------------------------------------===//

#include "tests/robustness/Command.h"

#include <nlohmann/json.hpp>

using namespace pantile::test;

namespace {

const char *const kScale = R"(// pantile-ir 1
tile.kernel @scale(%X: !tile.view<?xf32> {tile.sizes = ["N"], tile.access = "read"},
                   %Y: !tile.view<?xf32> {tile.sizes = ["N"], tile.access = "write"}, %factor: f32) {
  %N = tile.dim %X, 0
  tile.parallel %i in %N by @bn {
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@bn>>
    %f = tile.splat %factor : tensor<?xf32, #tile.dims<@bn>>
    %y = arith.mulf %x, %f : tensor<?xf32, #tile.dims<@bn>>
    tile.store %y, %Y[%i] : tensor<?xf32, #tile.dims<@bn>>
  }
}
)";

class Kernels : public CommandLine {
protected:
  /// The kernel with `from` replaced by `to`, as a file.
  std::string file(const std::string &from = "", const std::string &to = "") {
    std::string text = kScale;
    if (!from.empty()) {
      size_t at = text.find(from);
      EXPECT_NE(at, std::string::npos) << from;
      text.replace(at, from.size(), to);
    }
    std::string path = folder / "scale.tile";
    write(path, text);
    return path;
  }
};

TEST_F(Kernels, TheGoodOneRuns) {
  // Else no refusal below would mean anything.
  auto outcome = pantile({"run", file(), "--shape", "n=1000,factor=3", "--check"});
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_SAYS(outcome.out, "good");
}

TEST_F(Kernels, WhatIsNoKernelSaysWhere) {
  const std::string shape = "--shape=n=100";
  // The lexer's: a line, a column, what was expected.
  expectError({"run", file("// pantile-ir 1", "// pantile-ir 2"), shape}, 2, {"scale.tile", "version '2'", "reads version 1"});
  expectError({"run", file("%factor: f32)", "%factor: f32"), shape}, 2, {"line 2, column 19: '(' is never closed"});
  expectError({"run", file("  }\n}\n", "  }\n"), shape}, 2, {"line"});
  expectError({"run", file("!tile.view<?xf32>", "!tile.view<?xf33>"), shape}, 2, {"f33"});
  expectError({"run", file("@scale", "@"), shape}, 2, {"line 2"});
  expectError({"run", file("\"read\"", "\"borrow\""), shape}, 2, {"borrow"});
  std::string path = folder / "noise.tile";
  write(path, std::string("\x7f\x45\x4c\x46\0\0\x01", 7) + std::string(5000, '\xff'));
  expectError({"run", path, shape}, 2, {"noise.tile"});
  write(path, "");
  expectError({"run", path, shape}, 2, {"noise.tile"});
  write(path, std::string(300, '{'));
  expectError({"run", path, shape}, 2, {"noise.tile"});
  expectError({"run", folder / "nothing.tile", shape}, 2, {"nothing.tile", "No such file"});
  expectError({"run", folder.path + "/", shape}, 1, {folder.path});
}

TEST_F(Kernels, WhatTheCompilerRefusesSaysWhere) {
  const std::string shape = "--shape=n=100";
  // The user's own lines and names, not those of the text that the compiler was sent.
  expectError({"run", file("arith.mulf", "arith.mulx"), shape}, 2, {"scale: 8:10: custom op 'arith.mulx' is unknown"});
  expectError({"run", file("arith.mulf", "llvm.inline_asm"), shape}, 2, {"scale: 8:10", "llvm"});
  expectError({"run", file("%X[%i]", "%X[%i, %i]"), shape}, 2, {"scale: 6:10: 'tile.load'", "rank 1", "found 2"});
  expectError({"run", file("tensor<?xf32, #tile.dims<@bn>>", "tensor<?xf32, #tile.dims<@bm>>"), shape}, 2, {"scale: 8:", "'%x'", "@bm"});
  expectError({"run", file("tensor<?xf32, #tile.dims<@bn>>", "tensor<?xf16, #tile.dims<@bn>>"), shape}, 2, {"scale: ", "f16"});
  expectError({"run", file("tile.store %y", "tile.store %w"), shape}, 2, {"scale: 9:16: use of undeclared SSA value"});
  for (const char *command : {"compile", "print"})
    expectError({command, file("arith.mulf", "arith.mulx"), "--target=cpu", command[0] == 'p' ? "--stage=llvm" : "-o/dev/null"}, 2,
                {"scale.tile: 8:10: custom op 'arith.mulx' is unknown"});
  // MLIR's own parser has crashed on such attributes: whatever happens, it happens in the helper.
  auto outcome = pantile({"run", file("tile.dim %X, 0", "tile.dim %X, 0 {a = array<i32: 1, >}"), shape});
  EXPECT_GE(outcome.exitCode, 1) << outcome.err;
  EXPECT_LE(outcome.exitCode, 2) << outcome.err;
  EXPECT_SAYS(outcome.err, "pantile: scale: ");
}

TEST_F(Kernels, UnknownNamesListWhatThereIs) {
  expectError({"run", "matmull", "--shape=m=1,n=1,k=1"}, 2, {"no operator 'matmull'", "matmul"});
  expectError({"print", "matmull"}, 2, {"no operator 'matmull'"});
  expectError({"compile", "matmull", "--target=cpu"}, 2, {"no operator 'matmull'"});
  expectError({"tune", "matmull", "--shape=m=1,n=1,k=1"}, 2, {"no operator 'matmull'"});
  expectError({"run", "softmax", "--dtype=f99", "--shape=m=1,n=1"}, 2, {"f99", "bf16"});
  expectError({"run", "softmax", "--options=speed=9", "--shape=m=1,n=1"}, 2, {"speed", "temperature"});
  expectError({"run", "matmul", "--options=activation=sin", "--shape=m=1,n=1,k=1"}, 2, {"sin", "gelu"});
  expectError({"compile", "softmax", "--target=z80"}, 2, {"'z80'", "x86_64"});
  expectError({"print", "softmax", "--stage=binary"}, 2, {"'binary'", "scheduled"});
  expectError({"print", "softmax", "--stage=llvm"}, 2, {"--target"});
  expectError({"tune", "softmax", "--shape=m=8,n=8", "--strategy=guess"}, 2, {"guess", "random"});
  expectError({"tune", "softmax", "--shape=m=8,n=8", "--budget=eternal"}, 2, {"eternal", "quick"});
}

TEST_F(Kernels, ShapesAreChecked) {
  expectError({"run", "softmax", "--shape=m=8"}, 2, {"--shape lacks N"});
  expectError({"run", "softmax", "--shape=m=8,n=x"}, 2, {"n=x"});
  expectError({"run", "softmax", "--shape=m=8,n"}, 2, {"'n'"});
  expectError({"run", "softmax", "--shape=m=8,n=-3"}, 2, {"N", "negative"});
  expectError({"run", "softmax", "--shape=m=8,n=1.5"}, 2, {"n=1.5"});
  expectError({"run", "softmax", "--shape=m=8,n=8,k=9"}, 2, {"k", "M", "N"});
  expectError({"run", "softmax", "--shape=m=8,n=8,n=9"}, 2, {"n", "twice"});
  expectError({"run", "softmax", "--shape=m=8,n=1e30"}, 2, {"n=1e30"});
  expectError({"run", "softmax", "--shape=m=4000000000000,n=4000000000000"}, 2, {"X", "overflow"});
  // Countable, and more than any machine has.
  expectError({"run", "softmax", "--shape=m=4000000,n=4000000000"}, 1, {"no 64000000000000000 bytes"});
  expectError({"compile", "softmax", "--target=cpu", "--shape=m=8,n=junk", "-o", folder / "x"}, 2, {"n=junk"});
  expectError({"compile", "softmax", "--target=cpu", "--shape=m=8,q=8", "-o", folder / "x"}, 2, {"q"});
}

TEST_F(Kernels, ConfigurationsOutOfTheSpace) {
  const std::vector<std::string> run{"run", file(), "--shape=n=1000", "--config"};
  auto with = [&](const std::string &configuration) {
    auto arguments = run;
    arguments.push_back(configuration);
    return arguments;
  };
  expectError(with("{bx = 64}"), 2, {"'bx'", "bn"});
  expectError(with("{bn = 3}"), 2, {"bn", "3"});
  expectError(with("{bn = -64}"), 2, {"bn", "-64"});
  expectError(with("{bn = \"wide\"}"), 2, {"bn"});
  expectError(with("{bn = [1, 2]}"), 2, {"bn"});
  expectError(with("{bn = 64"), 2, {"configuration"});
  expectError(with("{bn = 99999999999999999999}"), 2, {"configuration"});
  expectError(with("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["), 2, {"configuration"});
}

TEST_F(Kernels, NothingIsLeftBehind) {
  // An output file that was there keeps its contents when the compilation fails, and none appears.
  const std::string output = folder / "code.so";
  write(output, "precious");
  expectError({"compile", file("arith.mulf", "arith.mulx"), "--target=cpu", "-o", output}, 2, {"arith.mulx"});
  EXPECT_EQ(contentsOf(output), "precious");
  expectError({"compile", file("arith.mulf", "arith.mulx"), "--target=cpu", "-o", folder / "new.so"}, 2, {"arith.mulx"});
  EXPECT_FALSE(std::filesystem::exists(folder / "new.so"));
  expectError({"compile", file(), "--target=cpu", "-o", folder / "no/such/folder/code.so"}, 1, {"no/such/folder/code.so"});
  EXPECT_EQ(pantile({"compile", file(), "--target=cpu", "-o", output}).exitCode, 0);
  EXPECT_EQ(contentsOf(output).substr(0, 4), "\x7f"
                                             "ELF");
}

} // namespace
