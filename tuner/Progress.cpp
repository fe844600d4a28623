//===- tuner/Progress.cpp - a bar, or lines -------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Progress.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace pantile::tuner {
namespace {

constexpr double kRedraw = 0.1; // seconds

std::string duration(double microseconds) {
  if (microseconds >= 1e6) return fmt::format("{:.3g} s", microseconds / 1e6);
  if (microseconds >= 1e4) return fmt::format("{:.4g} ms", microseconds / 1e3);
  return fmt::format("{:.4g} us", microseconds);
}

/// 0 where it is no terminal.
unsigned columnsOf(int descriptor) {
  const char *kind = ::secure_getenv("TERM");
  if (!::isatty(descriptor) || !kind || std::string_view(kind) == "dumb") return 0;
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

ProgressPrinter::ProgressPrinter(int descriptor, std::string label)
    : ProgressPrinter(descriptor, std::move(label), columnsOf(descriptor) > 0, std::max(columnsOf(descriptor), 20u)) {}

ProgressPrinter::ProgressPrinter(int descriptor, std::string label, bool bar, unsigned columns, double seconds)
    : descriptor(descriptor), label(std::move(label)), bar(bar), columns(columns), interval(seconds) {}

ProgressPrinter::~ProgressPrinter() {
  if (drawn) write("\r\x1b[K");
}

std::string ProgressPrinter::line(const std::string &label, const TuneProgress &progress, unsigned columns) {
  std::string best = progress.best > 0 ? "best " + duration(progress.best) : "best none yet";
  std::string left = progress.finals     ? "comparing the best"
                     : progress.left > 0 ? fmt::format("{:.0f} s left", std::ceil(progress.left))
                                         : "";
  if (columns == 0)
    return fmt::format("{}: {} tried, {} failed, {}{}{}", label, progress.tried, progress.failed, best, left.empty() ? "" : ", ", left);
  std::string numbers = fmt::format("{} tried  {} failed  {}{}{}", progress.tried, progress.failed, best, left.empty() ? "" : "  ", left);
  std::string head = label;
  // Numbers come first; the label and the bar get what is left.
  size_t space = columns > numbers.size() + 1 ? columns - numbers.size() - 1 : 0;
  if (space < 4) return numbers.substr(0, columns);
  if (head.size() > space - 1) head = head.substr(0, space - 1);
  space -= head.size() + 1;
  std::string bar;
  if (space >= 8) {
    size_t cells = std::min<size_t>(space - 3, 30), full = size_t(std::lround(std::clamp(progress.fraction, 0.0, 1.0) * double(cells)));
    bar = "[" + std::string(full, '#') + std::string(cells - full, '-') + "] ";
  }
  return fmt::format("{} {}{}", head, bar, numbers);
}

void ProgressPrinter::update(const TuneProgress &progress) {
  auto now = Clock::now();
  if (now - last < std::chrono::duration<double>(bar ? kRedraw : interval) && last != Clock::time_point{}) return;
  std::string text = line(label, progress, bar ? columns : 0);
  last = now;
  if (!bar && text == shown) return;
  shown = text;
  write(bar ? "\r" + text + "\x1b[K" : text + "\n");
  drawn = bar;
}

void ProgressPrinter::finish(const std::string &text) {
  std::string out = drawn ? "\r\x1b[K" : "";
  drawn = false;
  if (!text.empty()) out += text + "\n";
  write(out);
}

void ProgressPrinter::write(const std::string &text) {
  for (size_t have = 0; have < text.size();) {
    ssize_t put = ::write(descriptor, text.data() + have, text.size() - have);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return; // nobody is looking
    have += size_t(put);
  }
}

} // namespace pantile::tuner
