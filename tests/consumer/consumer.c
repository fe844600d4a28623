/* Adds two vectors through the library's `add`, in C99. */
#include <pantile/pantile.h>
#include <stdio.h>

static int report(pantile_error *error) {
  fprintf(stderr, "%s\n%s\n%s\n", pantile_error_text(error), pantile_error_cause(error), pantile_error_fix(error));
  pantile_error_release(error);
  return 1;
}

static DLTensor vector(float *data, int64_t *size) {
  DLTensor tensor = {0};
  tensor.data = data;
  tensor.device.device_type = kDLCPU;
  tensor.ndim = 1;
  tensor.dtype.code = kDLFloat;
  tensor.dtype.bits = 32;
  tensor.dtype.lanes = 1;
  tensor.shape = size;
  return tensor;
}

int main(void) {
  float x[1000], y[1000], out[1000];
  int64_t size = 1000;
  DLTensor tx = vector(x, &size), ty = vector(y, &size), tout = vector(out, &size);
  DLTensor *arguments[3];
  pantile_error *error = NULL;
  pantile_context *context;
  pantile_kernel *add;
  int i;
  arguments[0] = &tx;
  arguments[1] = &ty;
  arguments[2] = &tout;
  for (i = 0; i < 1000; ++i) x[i] = (float)i, y[i] = 2 * (float)i, out[i] = -1;
  if (pantile_context_create(NULL, &context, &error) || pantile_kernel_from_library(context, "add", "f32", &add, &error) ||
      pantile_launch(add, NULL, arguments, 3, &error) || pantile_synchronize(context, NULL, &error))
    return report(error);
  for (i = 0; i < 1000; ++i)
    if (out[i] != 3 * (float)i) return fprintf(stderr, "element %d is %g\n", i, (double)out[i]), 1;
  pantile_kernel_release(add);
  pantile_context_release(context);
  puts("added");
  return 0;
}
