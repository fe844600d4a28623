#include "runtime/tuning/TuneCall.h"
namespace pantile {
Expected<tuner::TuneResult> tuneCall(const Question &, const TuneCallOptions &) { return Status(PANTILE_UNIMPLEMENTED, "not yet"); }
}
