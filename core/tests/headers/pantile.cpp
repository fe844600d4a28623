/* pantile/pantile.h alone, as strict C++17. */
#include <pantile/pantile.h>

extern "C" int pantile_pantile_header_compiles_too;
int pantile_pantile_header_compiles_too;
