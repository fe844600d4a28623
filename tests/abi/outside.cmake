# Installs the tree, moves it, then builds a plugin against it that knows the installed plugin.h and nothing else, and uses it.
# cmake -DBUILD=... -DSOURCE=... -DWORK=... -P outside.cmake
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
  set(result "${result}" PARENT_SCOPE)
endfunction()
function(expect code text)
  if(NOT result EQUAL ${code} OR NOT "${output}${error}" MATCHES "${text}")
    message(FATAL_ERROR "expected exit code ${code} and '${text}', got ${result}:\n${output}\n${error}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/tree)
expect(0 "")
file(RENAME ${WORK}/tree ${WORK}/moved)
# The sources of runtime/tests' good fakes, away from the tree.
file(COPY ${SOURCE}/tests/abi/plugin ${SOURCE}/runtime/tests/plugins/FakeDevice.c ${SOURCE}/runtime/tests/plugins/FakeCompiler.c
  DESTINATION ${WORK})
run(${CMAKE_COMMAND} -S ${WORK}/plugin -B ${WORK}/built -DCMAKE_PREFIX_PATH=${WORK}/moved -DSOURCES=${WORK} -DCMAKE_BUILD_TYPE=Release)
expect(0 "")
run(${CMAKE_COMMAND} --build ${WORK}/built)
expect(0 "")

# One symbol out, none of Pantile in.
foreach(half device compiler)
  run(nm -D --defined-only ${WORK}/built/libpantile_fake_${half}.so)
  expect(0 "^[0-9a-f]+ T pantile_plugin_query\n$")
  run(nm -D --undefined-only ${WORK}/built/libpantile_fake_${half}.so)
  if(output MATCHES "pantile")
    message(FATAL_ERROR "the plugin needs ${output}")
  endif()
endforeach()

set(ENV{PANTILE_PLUGIN_PATH} ${WORK}/built)
set(ENV{PANTILE_CACHE_DIR} ${WORK}/cache)
set(pantile ${WORK}/moved/bin/pantile)
run(${pantile} devices)
expect(0 "fake:0 a fake device")
run(${pantile} targets)
expect(0 "fake +fake")
file(WRITE ${WORK}/scale.tile "// pantile-ir 1
tile.kernel @scale(%X: !tile.view<?xf32> {tile.sizes = [\"N\"], tile.access = \"read\"},
                   %Y: !tile.view<?xf32> {tile.sizes = [\"N\"], tile.access = \"write\"}) {
  %N = tile.dim %X, 0
  tile.parallel %i in %N by @b {
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@b>>
    tile.store %x, %Y[%i]
  }
}
")
run(${pantile} run ${WORK}/scale.tile --shape n=100 --backend fake)
expect(0 "factor = 2")
# The fake computes 2 x + 1 where the text says x: the check sees what came out of the plugin.
run(${pantile} run ${WORK}/scale.tile --shape n=100 --backend fake --check)
expect(1 "WRONG")
run(${pantile} print ${WORK}/scale.tile --target fake --stage assembly)
expect(0 "scale r0, r1")
