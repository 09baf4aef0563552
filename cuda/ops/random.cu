// The random state: "rng_next" takes a stamp from it and moves it on (outputs: the state in place, the stamp);
// "rng_stamp" writes four 32-bit words, which makes a stamp from an explicit seed and seeds the state.
#include "../kernels/random_state.cuh"

#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

void rng_next(const Call& call) {
  const View &state = call.outputs[0], &stamp = call.outputs[1];
  launch(call.queue, elements(1, 1), rng_next_kernel, state.as<RandomStamp>(), stamp.as<RandomStamp>());
}

void rng_stamp(const Call& call) {
  const RandomStamp value{uint32_t(call.params[0]), uint32_t(call.params[1]), uint32_t(call.params[2]),
                          uint32_t(call.params[3])};
  launch(call.queue, elements(1, 1), rng_stamp_kernel, value, call.outputs[0].as<RandomStamp>());
}

}  // namespace

void add_random_ops(OpTable& table) {
  table.add({
      {"rng_next", rng_next},
      {"rng_stamp", rng_stamp},
  });
}

}  // namespace selfnorm::SN_BUILD
