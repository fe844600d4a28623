//===- tuner/Narrow.h - a part of a space ---------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TUNER_NARROW_H
#define PANTILE_TUNER_NARROW_H

#include "core/Configuration.h"
#include "core/SpaceDescription.h"
#include "core/Status.h"

namespace pantile::tuner {

/// Leaves of each named parameter only what `part` says: one value (an integer, a label), or a list of integers. Values must be in
/// the domain; permutations cannot be narrowed. Errors name the parameter and list what is known.
Status narrow(SpaceDescription &space, const Configuration &part);

} // namespace pantile::tuner

#endif // PANTILE_TUNER_NARROW_H
