//===- core/KernelNames.h - taking the names out of kernel text -----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Two texts that differ in the names of aliases, values and blocks alone become the same tokens here.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_KERNELNAMES_H
#define PANTILE_CORE_KERNELNAMES_H

#include "core/KernelLexer.h"

#include <deque>
#include <string>

namespace pantile::kernel_text {

/// Removes the definitions `!a = ...` and `#a = ...` that stand before the kernel, and puts their tokens where they are used.
Expected<std::vector<Token>> expandAliases(const std::vector<Token> &tokens);

/// Gives values the names %0, %1, ... and blocks ^bb0, ^bb1, ... in order of first appearance. Every value gets a number of
/// its own, also where sibling regions use one name twice; `%x:2` becomes two names, `%x#1` the second of them. The new
/// spellings live in `storage`; `names` becomes what %0, %1, ... were called.
Expected<std::vector<Token>> numberNames(const std::vector<Token> &tokens, std::deque<std::string> &storage,
                                         std::vector<std::string> &names);

/// Whether an operation begins at token i: results and '=', or an operation's name. Looks at tokens alone, so that the
/// lines of the source do not count.
bool beginsOperation(const std::vector<Token> &tokens, size_t i);

} // namespace pantile::kernel_text

#endif // PANTILE_CORE_KERNELNAMES_H
