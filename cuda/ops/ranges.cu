// range and linspace.
#include "../kernels/ranges.cuh"

#include "dispatch.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// Params: [start, step].
void range(const Call& call) {
  const View& y = call.outputs[0];
  dispatch_any(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(call.queue, elements(y.size(), 2), range_kernel<T>, y.size(), call.params[0], call.params[1], y.as<T>());
  });
}

// Params: [start, stop].
void linspace(const Call& call) {
  const View& y = call.outputs[0];
  dispatch_float(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(call.queue, elements(y.size(), 4), linspace_kernel<T>, y.size(), call.params[0], call.params[1], y.as<T>());
  });
}

}  // namespace

void add_range_ops(OpTable& table) {
  table.add({
      {"range", range},
      {"linspace", linspace},
  });
}

}  // namespace selfnorm::SN_BUILD
