// topk along the last axis: (x) -> (values, positions).
#include "../kernels/topk.cuh"

#include "dispatch.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// Up to here a round a pick is less work than sorting the row.
constexpr int64_t kMostRounds = 32;

template <class T>
struct Rows {
  int64_t count, length, k;
  T* values;
  int32_t* positions;
  const T* input;
};

template <class T>
void sort_rows(Queue& queue, const Rows<T>& rows) {
  const int64_t n = rows.count * rows.length, taken = rows.count * rows.k;
  const Scratch order(queue, size_t(n) * sizeof(int32_t)), other(queue, size_t(n) * sizeof(int32_t));
  int32_t *from = nullptr, *to = order.as<int32_t>(), *spare = other.as<int32_t>();
  for (int64_t run = 1; run < rows.length || from == nullptr; run *= 2) {
    launch(queue, elements(n, 16), topk_merge_kernel<T>, n, rows.length, run, to, static_cast<const int32_t*>(from),
           rows.input);
    from = to;
    std::swap(to, spare);
  }
  launch(queue, elements(taken, 4), topk_take_kernel<T>, taken, rows.length, rows.k, rows.values, rows.positions,
         static_cast<const int32_t*>(from), rows.input);
}

template <class T>
void launch_topk(Queue& queue, const Rows<T>& rows) {
  if constexpr (kManyThreads) {
    if (rows.k > kMostRounds) return sort_rows(queue, rows);
    launch(queue, groups(rows.count, rows.length * rows.k, rows.length), topk_select_kernel<T>, rows.count, rows.length,
           rows.k, rows.values, rows.positions, rows.input);
  } else {
#if !SN_GPU
    const Scratch order(queue, size_t(rows.count * rows.length) * sizeof(int32_t));
    launch(queue, groups(rows.count, rows.length * 8), topk_sort_kernel<T>, rows.count, rows.length, rows.k,
           rows.values, rows.positions, order.as<int32_t>(), rows.input);
#endif
  }
}

void topk(const Call& call) {
  const View &x = call.inputs[0], &values = call.outputs[0], &positions = call.outputs[1];
  const int64_t length = x.dim(-1), k = values.dim(-1);
  if (values.size() == 0) return;
  dispatch_any(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_topk(call.queue,
                Rows<T>{values.size() / k, length, k, values.as<T>(), positions.as<int32_t>(), x.as<const T>()});
  });
}

}  // namespace

void add_topk_ops(OpTable& table) { table.add({{"topk", topk}}); }

}  // namespace selfnorm::SN_BUILD
