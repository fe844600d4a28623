//===- tuner/Progress.h - what a person sees of a tuning run --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   matmul [######------------]  31 tried  2 failed  best 163.2 us  7 s left        on a terminal: one line, redrawn
//   matmul: 31 tried, 2 failed, best 163.2 us, 7 s left                              elsewhere: a line now and then
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_PROGRESS_H
#define PANTILE_TUNER_PROGRESS_H

#include "tuner/Tune.h"

namespace pantile::tuner {

class ProgressPrinter {
public:
  /// Writes to `descriptor` (not owned). A terminal is recognized, its width followed; TERM=dumb counts as none.
  ProgressPrinter(int descriptor, std::string label);
  /// As chosen by the caller: a bar of `columns`, or lines at least `seconds` apart.
  ProgressPrinter(int descriptor, std::string label, bool bar, unsigned columns = 80, double seconds = 2);
  ~ProgressPrinter();
  ProgressPrinter(const ProgressPrinter &) = delete;
  ProgressPrinter &operator=(const ProgressPrinter &) = delete;

  void update(const TuneProgress &progress);
  /// Erases the bar and prints `text`, if any, as the last line.
  void finish(const std::string &text);

  /// The line for `progress`, at most `columns` wide (0: no bar, the plain form).
  static std::string line(const std::string &label, const TuneProgress &progress, unsigned columns);

private:
  void write(const std::string &text);
  int descriptor;
  std::string label;
  bool bar, drawn = false;
  unsigned columns;
  double interval;
  Clock::time_point last{};
  std::string shown;
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_PROGRESS_H
