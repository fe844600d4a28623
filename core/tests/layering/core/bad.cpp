// The CUDA driver; amdahl and hippo are words of their own.
#include <mlir/IR/Value.h>
