//===- tuner/Journal.h - every trial of a run, one JSON line each ---------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   {"key":"...","seed":0,"space":"44d0...","strategy":"model_rf","type":"run","crc":"0123456789abcdef"}
//   {"config":"{bm = 64}","n":0,"type":"started","crc":"..."}
//   {"config":"{bm = 64}","n":0,"outcome":"timed","samples":[163.2,...],"type":"done","crc":"..."}
//
// `crc` is XXH3 of the line's bytes before `,"crc"`. A line that is torn or altered is skipped. Lines are appended with one
// write each and synced about once a second: a killed process loses nothing, a killed machine a second.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_JOURNAL_H
#define PANTILE_TUNER_JOURNAL_H

#include "tuner/Measure.h"
#include "tuner/Trial.h"

#include <unordered_map>

namespace pantile::tuner {

class Journal {
public:
  /// What a journal knows of one configuration.
  struct Record {
    Outcome outcome = Outcome::Died; ///< of one that was started and never done
    std::vector<double> samples;
    std::vector<std::pair<std::string, int64_t>> resources;
    std::string report;
  };

  Journal() = default; ///< remembers and writes nothing
  Journal(Journal &&other) noexcept;
  Journal &operator=(Journal &&other) noexcept;
  ~Journal();

  /// Opens or creates `path` (0600, never through a link) and locks it: PANTILE_UNAVAILABLE while another process writes it.
  /// A journal about another `key` or `space` is renamed to "<path>.<digits>" first.
  static Expected<Journal> open(const std::string &path, const std::string &key, const std::string &space, const std::string &strategy,
                                uint64_t seed);

  const Record *find(const std::string &configuration) const;
  size_t size() const { return records.size(); }
  size_t damagedLines() const { return damaged; }
  /// The configurations that were timed, with their records.
  const std::unordered_map<std::string, Record> &known() const { return records; }

  /// Writing failures are reported by `problem` and never stop a run.
  void started(uint64_t number, const std::string &configuration);
  void done(uint64_t number, const std::string &configuration, const Trial &trial);
  /// Takes `started` back: it was interrupted through no fault of its own.
  void withdrawn(uint64_t number, const std::string &configuration);
  void finished(const std::string &configuration, const Summary &time);
  /// The first failure to write, once; else empty.
  std::string problem();

private:
  void append(const std::string &line);
  int descriptor = -1;
  std::string path;
  std::string firstProblem;
  bool reported = false, torn = false;
  std::unordered_map<std::string, Record> records;
  size_t damaged = 0;
  Clock::time_point lastSync{};
};

} // namespace pantile::tuner

#endif // PANTILE_TUNER_JOURNAL_H
