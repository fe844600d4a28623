# A release (PANTILE_STATIC): everything but glibc is linked statically. Included before any package is found.

# Third-party libraries: archives where there are any.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)

# fmt's shared library is all that Debian has. The definitions are those of fmt::fmt, so that objects are the same in every
# preset and ccache serves them.
add_library(pantile_fmt STATIC cmake/static/fmt.cpp)
target_compile_definitions(pantile_fmt PUBLIC FMT_SHARED)
add_library(fmt::fmt ALIAS pantile_fmt)
set(fmt_DIR ${CMAKE_CURRENT_LIST_DIR}/static) # where find_package(fmt) then looks

# Unused parts go: by section, by equal bodies, by shared libraries that LLVM's packages name and nobody calls (Z3). Packed
# relative relocations are of glibc 2.36, the oldest one promised, and save megabytes in LLVM's tables. (The warnings are one for
# each of lld's objects, whose equal bodies stay because Debian stripped them.)
add_link_options(-static-libstdc++ -static-libgcc -Wl,--icf=safe -Wl,--no-warnings -Wl,--as-needed -Wl,-O2 -Wl,-z,pack-relative-relocs)

# LLVM's packages name shared libraries even in their archives' requirements: LLVMSupport zstd's, MLIR's archives LLVM's, which
# would come on top of the static one. What they need of LLVM is Support and, for diagnostics, Core.
function(pantile_unshare_llvm)
  if(NOT TARGET zstd::libzstd_shared)
    add_library(zstd::libzstd_shared INTERFACE IMPORTED)
    set_target_properties(zstd::libzstd_shared PROPERTIES INTERFACE_LINK_LIBRARIES zstd::libzstd_static)
  endif()
  get_directory_property(targets IMPORTED_TARGETS)
  list(FILTER targets INCLUDE REGEX "^MLIR")
  foreach(target IN LISTS targets)
    get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
    if("LLVM" IN_LIST links)
      list(TRANSFORM links REPLACE "^LLVM$" "LLVMCore")
      set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${links}")
    endif()
  endforeach()
endfunction()

# Puts all compiler halves into the helper, and of lld and LLVM what they need.
function(pantile_link_static_backends helper)
  get_property(backends GLOBAL PROPERTY PANTILE_STATIC_BACKENDS)
  get_property(targets GLOBAL PROPERTY PANTILE_STATIC_TARGETS)
  list(TRANSFORM backends REPLACE "(.+)" "X(\\1)")
  list(JOIN backends " " entries)
  target_compile_definitions(${helper} PRIVATE "PANTILE_STATIC_PLUGINS=${entries}")

  get_property(present GLOBAL PROPERTY PANTILE_LLVM_TARGETS)
  set(absent ${LLVM_TARGETS_TO_BUILD})
  list(REMOVE_ITEM absent ${present})
  list(TRANSFORM absent REPLACE "(.+)" "X(\\1)")
  list(JOIN absent " " entries)
  add_library(pantile_small_lld OBJECT ${CMAKE_SOURCE_DIR}/cmake/static/lld.cpp)
  target_compile_definitions(pantile_small_lld PRIVATE "PANTILE_ABSENT_TARGETS=${entries}")
  target_link_libraries(pantile_small_lld PRIVATE pantile_mlir_flags)
  target_link_libraries(${helper} PRIVATE pantile_small_lld ${targets})
endfunction()
