//===- cmake/static/fmt.cpp - the library fmt as a static one --------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Debian ships fmt as a shared library only. Its own headers hold all of it; what they declare `extern template` is
// instantiated here. Header-only use in every file instead would double their compile time.
//
//===----------------------------------------------------------------------===//

#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl<char>(locale_ref) -> char;
template FMT_API auto dragonbox::to_decimal<float>(float) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal<double>(double) noexcept -> dragonbox::decimal_fp<double>;
} // namespace detail
FMT_END_NAMESPACE
