//===- core/Status.h - the one error type of Pantile's C++ ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   Expected<Facts> factsOf(...) {
//     if (rank > kMaxRank) return Status(Code::InvalidArgument, fmt("'{}' has rank {}", name, rank)).withFix("...");
//     PANTILE_ASSIGN(auto layout, layoutOf(view));   // returns the error, or declares `layout`
//     PANTILE_RETURN_IF_ERROR(check(layout));
//     return Facts{...};
//   }
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_STATUS_H
#define PANTILE_CORE_STATUS_H

#include "pantile/types.h"

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace pantile {

/// Success, or a code with one line of text, the underlying report, and a fix. Success is one null pointer.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(pantile_code code, std::string text) : detail(code == PANTILE_OK ? nullptr : new Detail{code, std::move(text), {}, {}}) {}
  static Status ok() { return {}; }

  Status(const Status &other) : detail(other.detail ? new Detail(*other.detail) : nullptr) {}
  Status(Status &&) noexcept = default;
  Status &operator=(Status other) noexcept {
    detail = std::move(other.detail);
    return *this;
  }

  bool isOk() const { return !detail; }
  pantile_code code() const { return detail ? detail->code : PANTILE_OK; }
  const std::string &text() const { return detail ? detail->text : empty(); }
  const std::string &cause() const { return detail ? detail->cause : empty(); }
  const std::string &fix() const { return detail ? detail->fix : empty(); }

  Status &&withCause(std::string cause) && {
    if (detail) detail->cause = std::move(cause);
    return std::move(*this);
  }
  Status &&withFix(std::string fix) && {
    if (detail) detail->fix = std::move(fix);
    return std::move(*this);
  }
  /// Prepends "context: " to the text.
  Status &&in(const std::string &context) && {
    if (detail) detail->text = context + ": " + detail->text;
    return std::move(*this);
  }
  /// text, then cause and fix where present, for people.
  std::string message() const;

private:
  struct Detail {
    pantile_code code;
    std::string text, cause, fix;
  };
  static const std::string &empty();
  std::unique_ptr<Detail> detail;
};

/// A value or the Status that says why not.
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : value(std::move(value)) {}
  Expected(Status status) : failure(std::move(status)) { assert(!failure.isOk() && "an Expected needs a value or an error"); }

  bool isOk() const { return value.has_value(); }
  explicit operator bool() const { return isOk(); }
  const Status &status() const & { return failure; }
  Status &&status() && { return std::move(failure); }
  T &operator*() & {
    assert(value);
    return *value;
  }
  const T &operator*() const & {
    assert(value);
    return *value;
  }
  T &&operator*() && {
    assert(value);
    return std::move(*value);
  }
  T *operator->() {
    assert(value);
    return &*value;
  }
  const T *operator->() const {
    assert(value);
    return &*value;
  }

private:
  std::optional<T> value;
  Status failure;
};

#define PANTILE_CONCAT2(a, b) a##b
#define PANTILE_CONCAT(a, b) PANTILE_CONCAT2(a, b)
#define PANTILE_RETURN_IF_ERROR(expression)                                                                                                \
  do {                                                                                                                                     \
    if (::pantile::Status pantileStatus = (expression); !pantileStatus.isOk()) return pantileStatus;                                       \
  } while (false)
#define PANTILE_ASSIGN(declaration, expression) PANTILE_ASSIGN_AS(PANTILE_CONCAT(pantileExpected, __LINE__), declaration, expression)
#define PANTILE_ASSIGN_AS(temporary, declaration, expression)                                                                              \
  auto temporary = (expression);                                                                                                           \
  if (!temporary.isOk()) return std::move(temporary).status();                                                                             \
  declaration = *std::move(temporary)

} // namespace pantile

#endif // PANTILE_CORE_STATUS_H
