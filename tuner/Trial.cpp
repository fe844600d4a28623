//===- tuner/Trial.cpp - names and statistics of trials -------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Trial.h"

#include <algorithm>
#include <cmath>

namespace pantile::tuner {
namespace {
constexpr std::pair<Outcome, std::string_view> kNames[] = {
    {Outcome::Timed, "timed"},
    {Outcome::Slow, "slow"},
    {Outcome::CompileError, "compile_error"},
    {Outcome::CompileTimeout, "compile_timeout"},
    {Outcome::Wrong, "wrong"},
    {Outcome::Failed, "failed"},
    {Outcome::Died, "died"},
    {Outcome::Hung, "hung"},
};
} // namespace

std::string_view name(Outcome outcome) {
  for (auto [value, text] : kNames)
    if (value == outcome) return text;
  return "unknown";
}

std::optional<Outcome> outcomeFromName(std::string_view name) {
  for (auto [value, text] : kNames)
    if (text == name) return value;
  return std::nullopt;
}

Summary summarize(std::vector<double> samples) {
  if (samples.empty()) return {std::numeric_limits<double>::infinity(), 0, std::numeric_limits<double>::infinity(), 0};
  std::sort(samples.begin(), samples.end());
  size_t n = samples.size();
  double median = n % 2 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
  // The ranks n/2 -+ 0.98 sqrt(n) enclose the median with 95 % probability (normal approximation of the binomial).
  double reach = 0.98 * std::sqrt(double(n));
  auto rank = [&](double at) { return samples[size_t(std::clamp(at, 0.0, double(n - 1)))]; };
  if (n < 6) return {median, samples.front(), samples.back(), unsigned(n)};
  return {median, rank(std::floor(double(n) / 2 - reach)), rank(std::ceil(double(n) / 2 + reach)), unsigned(n)};
}

} // namespace pantile::tuner
