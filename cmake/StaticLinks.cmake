# A release (PANTILE_STATIC): everything but glibc is linked statically. Included before any package is found.

# Third-party libraries: archives where there are any.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)

# fmt's shared library is all that Debian has. The definitions are those of fmt::fmt, so that objects are the same in every
# preset and ccache serves them.
add_library(pantile_fmt STATIC cmake/static/fmt.cpp)
target_compile_definitions(pantile_fmt PUBLIC FMT_SHARED)
add_library(fmt::fmt ALIAS pantile_fmt)

# Unused parts go: by section, by equal bodies, by shared libraries that LLVM's packages name and nobody calls (Z3). Packed
# relative relocations are of glibc 2.36, the oldest one promised, and save megabytes in LLVM's tables.
add_link_options(-static-libstdc++ -static-libgcc -Wl,--icf=safe -Wl,--as-needed -Wl,-O2 -Wl,-z,pack-relative-relocs)
