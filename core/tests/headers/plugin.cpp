/* pantile/plugin.h alone, as strict C++17. */
#include <pantile/plugin.h>

extern "C" int pantile_plugin_header_compiles_too;
int pantile_plugin_header_compiles_too;
