# An installed tree: bin/pantile, lib/libpantile.so, lib/pantile/ (plugins, manifests, helper programs), headers, a CMake
# package and a pkg-config file. Everything finds everything else relative to itself, so the tree may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(library_dir lib) # not lib/<triple>: plugins are found beside the library, wherever the tree lies
set(plugin_dir ${library_dir}/pantile)

set_target_properties(pantile PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
install(TARGETS pantile EXPORT pantileTargets LIBRARY DESTINATION ${library_dir})
install(DIRECTORY core/include/pantile DESTINATION include)
# pantile.h speaks DLPack; its one header comes along.
find_path(DLPACK_INCLUDE dlpack/dlpack.h REQUIRED)
install(FILES ${DLPACK_INCLUDE}/dlpack/dlpack.h DESTINATION include/dlpack)

if(TARGET pantile_program)
  set_target_properties(pantile_program PROPERTIES INSTALL_RPATH "$ORIGIN/../${library_dir}")
  install(TARGETS pantile_program RUNTIME DESTINATION bin)
endif()
get_property(plugins GLOBAL PROPERTY PANTILE_PLUGIN_TARGETS)
get_property(helpers GLOBAL PROPERTY PANTILE_HELPER_TARGETS)
# Plugins that link LLVM as a library (development builds) find it where the distribution put it.
get_filename_component(llvm_library_dir "${MLIR_DIR}/../.." ABSOLUTE)
foreach(target IN LISTS plugins)
  if(NOT PANTILE_STATIC)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "${llvm_library_dir}")
  endif()
  install(TARGETS ${target} LIBRARY DESTINATION ${plugin_dir})
endforeach()
foreach(target IN LISTS helpers)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/..")
  install(TARGETS ${target} RUNTIME DESTINATION ${plugin_dir})
endforeach()

install(FILES LICENSE DESTINATION share/doc/pantile)
if(PANTILE_STATIC)
  # The licences of what is linked in, as the distribution's packages state them.
  foreach(package llvm-22-dev libstdc++-12-dev libfmt-dev libsodium-dev libxxhash-dev zlib1g-dev libzstd-dev libtomlplusplus-dev
          libcli11-dev nlohmann-json3-dev libdlpack-dev)
    install(FILES /usr/share/doc/${package}/copyright DESTINATION share/doc/pantile/licenses RENAME ${package} OPTIONAL)
  endforeach()
endif()

# What an install needs built, and nothing more: no tests, no benchmarks.
add_custom_target(pantile_tree DEPENDS pantile ${plugins} ${helpers})
if(TARGET pantile_program)
  add_dependencies(pantile_tree pantile_program)
endif()

# Manifests name checksums, and stripping changes the files: they are written where the files land.
get_property(static_backends GLOBAL PROPERTY PANTILE_STATIC_BACKENDS)
list(JOIN static_backends "," static_names)
install(CODE "
  file(GLOB files \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${plugin_dir}/libpantile_*.so\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${plugin_dir}/pantile-compiler\")
  foreach(file IN LISTS files)
    execute_process(COMMAND \"${CMAKE_COMMAND}\" -DLIBRARY=\${file} -DCONTAINS=${static_names} -P \"${CMAKE_SOURCE_DIR}/cmake/PluginManifest.cmake\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")

install(EXPORT pantileTargets NAMESPACE pantile:: DESTINATION ${library_dir}/cmake/pantile)
configure_package_config_file(cmake/pantileConfig.cmake.in ${CMAKE_BINARY_DIR}/pantileConfig.cmake INSTALL_DESTINATION ${library_dir}/cmake/pantile)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/pantileConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/pantileConfig.cmake ${CMAKE_BINARY_DIR}/pantileConfigVersion.cmake cmake/PluginManifest.cmake DESTINATION ${library_dir}/cmake/pantile)
configure_file(cmake/pantile.pc.in ${CMAKE_BINARY_DIR}/pantile.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/pantile.pc DESTINATION ${library_dir}/pkgconfig)
