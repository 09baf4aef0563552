// Launches a kernel on the CPU: blocks of one thread, spread over the worker threads.
#pragma once

#include <algorithm>

#include "../../cuda/kernels/range.h"
#include "queue.h"
#include "workers.h"

namespace selfnorm::SN_BUILD {

struct Grid {
  int64_t blocks;  // 0: nothing to do
};

// Flops worth waking another thread for.
inline constexpr int64_t kGrain = 32768;

inline Grid workers_for(int64_t units, int64_t flops) {
  if (units <= 0) return {0};
  return {std::clamp<int64_t>(std::min(flops / kGrain, units), 1, worker_count())};
}

// n elements of about `cost` flops each.
inline Grid elements(int64_t n, int64_t cost, int /*pack*/ = 1) { return workers_for(n, n * cost); }

// n groups (rows, chunks) of about `cost` flops each; on the GPU a block takes one at a time.
inline Grid groups(int64_t n, int64_t cost, int64_t /*widest*/ = 0) { return workers_for(n, n * cost); }

template <class... Parameters, class... Arguments>
void launch(Queue& queue, Grid grid, void (*kernel)(Parameters...), Arguments... arguments) {
  if (grid.blocks == 0) return;
  queue.enqueue([=] {
    auto body = [&] { kernel(arguments...); };
    run_blocks(
        grid.blocks, [](void* context) { (*static_cast<decltype(body)*>(context))(); }, &body);
  });
}

}  // namespace selfnorm::SN_BUILD
