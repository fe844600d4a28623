#include "runtime/capi/Handles.h"
