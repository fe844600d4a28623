/* pantile/types.h alone, as strict C99. */
#include <pantile/types.h>

int pantile_types_header_compiles;
