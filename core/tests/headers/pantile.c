/* pantile/pantile.h alone, as strict C99. */
#include <pantile/pantile.h>

int pantile_pantile_header_compiles;
