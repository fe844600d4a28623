//===- tuner/tests/ProgressTest.cpp ---------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Progress.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <unistd.h>

namespace pantile::tuner {
namespace {

TuneProgress half() {
  TuneProgress p;
  p.tried = 31;
  p.failed = 2;
  p.best = 163.2;
  p.left = 4.2;
  p.fraction = 0.5;
  return p;
}

/// What a printer wrote to a pipe.
template <typename Use> std::string written(bool bar, double seconds, Use use) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  {
    ProgressPrinter printer(pipe[1], "matmul", bar, 80, seconds);
    use(printer);
  }
  ::close(pipe[1]);
  std::string text(1 << 16, '\0');
  ssize_t got = ::read(pipe[0], text.data(), text.size());
  ::close(pipe[0]);
  text.resize(size_t(std::max<ssize_t>(got, 0)));
  return text;
}

TEST(Progress, TheBarFitsItsTerminal) {
  EXPECT_EQ(ProgressPrinter::line("matmul", half(), 80), "matmul [#############-------------] 31 tried  2 failed  best 163.2 us  5 s left");
  for (unsigned columns = 1; columns < 200; ++columns)
    for (const char *label :
         {"m", "matmul", "a kernel with a very long name, longer than any terminal would like to show on a single line"}) {
      std::string line = ProgressPrinter::line(label, half(), columns);
      EXPECT_LE(line.size(), columns);
      if (columns >= 60) EXPECT_NE(line.find("31 tried  2 failed  best 163.2 us"), std::string::npos) << line;
    }
}

TEST(Progress, PlainLinesSayTheSame) {
  EXPECT_EQ(ProgressPrinter::line("matmul", half(), 0), "matmul: 31 tried, 2 failed, best 163.2 us, 5 s left");
  TuneProgress none;
  EXPECT_EQ(ProgressPrinter::line("matmul", none, 0), "matmul: 0 tried, 0 failed, best none yet");
  TuneProgress last = half();
  last.finals = true;
  last.best = 25300;
  EXPECT_EQ(ProgressPrinter::line("matmul", last, 0), "matmul: 31 tried, 2 failed, best 25.3 ms, comparing the best");
}

TEST(Progress, ElsewhereThanOnATerminalALineNowAndThen) {
  std::string text = written(false, 1000, [](ProgressPrinter &printer) {
    for (int i = 0; i < 100; ++i) printer.update(half());
    printer.finish("done");
  });
  EXPECT_EQ(text, "matmul: 31 tried, 2 failed, best 163.2 us, 5 s left\ndone\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\x1b'), 0);
}

TEST(Progress, TheBarIsRedrawnAndErased) {
  std::string text = written(true, 1000, [](ProgressPrinter &printer) {
    printer.update(half());
    printer.finish("done");
  });
  EXPECT_TRUE(text.starts_with("\rmatmul [###"));
  EXPECT_TRUE(text.ends_with("\r\x1b[Kdone\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  // Left without finish: no remains on the line.
  EXPECT_TRUE(written(true, 0, [](ProgressPrinter &printer) { printer.update(half()); }).ends_with("\r\x1b[K"));
}

TEST(Progress, APipeIsNoTerminal) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  { ProgressPrinter(pipe[1], "matmul").update(half()); }
  ::close(pipe[1]);
  char text[256] = {};
  ASSERT_GT(::read(pipe[0], text, sizeof text - 1), 0);
  ::close(pipe[0]);
  EXPECT_STREQ(text, "matmul: 31 tried, 2 failed, best 163.2 us, 5 s left\n");
}

} // namespace
} // namespace pantile::tuner
