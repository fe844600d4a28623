//===- cmake/sanitizer/Options.cpp - what sanitizers must know of us --------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// Linked into every program of the asan and tsan presets, so that a test run by hand and a helper process behave as under
// ctest. What ASAN_OPTIONS and TSAN_OPTIONS say comes on top.
//
//===----------------------------------------------------------------------===//

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXPORTED extern "C" __attribute__((visibility("default"), used))

// LLVM's libraries are not instrumented: of a container or a bump allocator that both sides use, only our side's annotations
// are seen, and memory that theirs handed out looks poisoned. Requests too large for memory must fail as they do without a
// sanitizer, for the tests of that.
EXPORTED const char *__asan_default_options() {
  return "detect_container_overflow=0:allow_user_poisoning=0:allocator_may_return_null=1:"
         "external_symbolizer_path=/usr/lib/llvm-22/bin/llvm-symbolizer";
}
EXPORTED const char *__ubsan_default_options() { return "print_stacktrace=1"; }

#elif __has_feature(thread_sanitizer)
#define EXPORTED extern "C" __attribute__((visibility("default"), used))

EXPORTED const char *__tsan_default_options() {
  return "allocator_may_return_null=1:external_symbolizer_path=/usr/lib/llvm-22/bin/llvm-symbolizer";
}
// LLVM's libraries are not instrumented: atomics inside them order nothing that the sanitizer sees.
EXPORTED const char *__tsan_default_suppressions() {
  return "called_from_lib:libLLVM.so\n"
         "called_from_lib:libMLIR.so\n";
}
#endif
#endif
