// The same in C++17, and a kernel from text with a scalar.
#include <cstdio>
#include <pantile/pantile.hpp>

static const char kScale[] = R"(// pantile-ir 1
tile.kernel @scale(%X: !tile.view<?xf32> {tile.sizes = ["N"], tile.access = "read"},
                   %Y: !tile.view<?xf32> {tile.sizes = ["N"], tile.access = "write"}, %factor: f32) {
  %N = tile.dim %X, 0
  tile.parallel %i in %N by @bn {
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@bn>>
    %f = tile.splat %factor : tensor<?xf32, #tile.dims<@bn>>
    %y = arith.mulf %x, %f : tensor<?xf32, #tile.dims<@bn>>
    tile.store %y, %Y[%i] : tensor<?xf32, #tile.dims<@bn>>
  }
}
)";

int main() try {
  pantile::Context context;
  std::vector<float> host(1000);
  for (size_t i = 0; i < host.size(); ++i) host[i] = float(i);
  pantile::Buffer x(context, pantile::f32, {1000}), y(context, pantile::f32, {1000}), out(context, pantile::f32, {1000});
  x.upload(host.data());
  pantile::Kernel scale = pantile::Kernel::fromText(context, kScale), add(context, "add", "f32");
  scale(x, y, 2.0f);
  add(x, y, out);
  out.download(host.data());
  for (size_t i = 0; i < host.size(); ++i)
    if (host[i] != 3 * float(i)) return std::fprintf(stderr, "element %zu is %g\n", i, double(host[i])), 1;
  try {
    pantile::Kernel(context, "no_such_operator");
    return std::fprintf(stderr, "an unknown operator was accepted\n"), 1;
  } catch (const pantile::Error &error) {
    if (error.code() != PANTILE_NOT_FOUND) throw;
  }
  std::puts("added");
  return 0;
} catch (const pantile::Error &error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
