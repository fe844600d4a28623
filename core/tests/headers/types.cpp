/* pantile/types.h alone, as strict C++17. */
#include <pantile/types.h>

extern "C" int pantile_types_header_compiles_too;
int pantile_types_header_compiles_too;
