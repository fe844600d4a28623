/* pantile/plugin.h alone, as strict C99. */
#include <pantile/plugin.h>

int pantile_plugin_header_compiles;
