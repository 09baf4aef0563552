// Ops that move data: copy (any strided reading of a tensor), concat and pad.
#include "../kernels/data_movement.cuh"

#include "dispatch.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// Appends an axis inside the ones so far, merged with the last where both sides run on contiguously.
void append_axis(Walk& walk, int64_t size, int64_t from, int64_t to) {
  if (size == 1) return;
  const int last = walk.axes - 1;
  if (last >= 0 && walk.from[last] == from * size && walk.to[last] == to * size) {
    walk.sizes[last] *= size;
    walk.from[last] = from;
    walk.to[last] = to;
    return;
  }
  walk.sizes[walk.axes] = size;
  walk.from[walk.axes] = from;
  walk.to[walk.axes] = to;
  ++walk.axes;
}

// The axis along which the reader is contiguous, if that is not the writer's.
int reading_axis(const Walk& walk) {
  const int inner = walk.axes - 1;
  if (walk.to[inner] != 1 || walk.from[inner] == 1 || walk.from[inner] == 0) return -1;
  for (int axis = inner - 1; axis >= 0; --axis) {
    if (walk.from[axis] == 1) return axis;
  }
  return -1;
}

template <class T>
void launch_transpose(Queue& queue, const Walk& walk, int64_t n, int reading, T* to, const T* from) {
  const int inner = walk.axes - 1;
  Transpose t{{}, walk.sizes[reading], walk.sizes[inner], walk.to[reading], walk.from[inner]};
  int64_t planes = 1;
  for (int axis = 0; axis < inner; ++axis) {
    if (axis == reading) continue;
    planes *= walk.sizes[axis];
    append_axis(t.batch, walk.sizes[axis], walk.from[axis], walk.to[axis]);
  }
  const int64_t tiles = planes * ((t.rows + kTransposeRows - 1) / kTransposeRows) *
                        ((t.columns + kTransposeColumns<T> - 1) / kTransposeColumns<T>);
  launch(queue, groups(tiles, 2 * kTransposeRows * kTransposeColumns<T>, kTransposeRows * kTransposeColumns<T>),
         transpose_kernel<T>, tiles, n, t, to, from);
}

template <class T>
void launch_copy(Queue& queue, const Walk& walk, int64_t n, T* to, const T* from) {
  const int reading = reading_axis(walk);
  if (reading >= 0) {
    launch_transpose(queue, walk, n, reading, to, from);
  } else {
    launch(queue, elements(n, 1), strided_copy_kernel<T>, n, walk, to, from);
  }
}

// On the GPU rows that are contiguous on both sides are copied in the widest words that divide every row and address.
bool widen(Walk& walk, int64_t& n, int64_t bytes, int64_t word, const void* to, const void* from) {
  const int inner = walk.axes - 1;
  if (!kManyThreads || walk.from[inner] != 1 || walk.to[inner] != 1) return false;
  const int64_t per_word = word / bytes;
  if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % uintptr_t(word) != 0) return false;
  if (walk.sizes[inner] % per_word != 0) return false;
  for (int axis = 0; axis < inner; ++axis) {
    if (walk.from[axis] % per_word != 0 || walk.to[axis] % per_word != 0) return false;
  }
  for (int axis = 0; axis < inner; ++axis) {
    walk.from[axis] /= per_word;
    walk.to[axis] /= per_word;
  }
  walk.sizes[inner] /= per_word;
  n /= per_word;
  return true;
}

void run_walk(Queue& queue, Walk walk, DType dtype, void* to, int64_t to_offset, const void* from,
              int64_t from_offset) {
  if (walk.axes == 0) {
    walk.axes = 1;
    walk.sizes[0] = walk.from[0] = walk.to[0] = 1;
  }
  int64_t n = 1;
  for (int axis = 0; axis < walk.axes; ++axis) n *= walk.sizes[axis];
  if (n == 0) return;
  const int64_t bytes = size_of(dtype);
  char* const out = static_cast<char*>(to) + to_offset * bytes;
  const char* const in = static_cast<const char*>(from) + from_offset * bytes;
  using Word = Pack<uint64_t, 2>;
  if (widen(walk, n, bytes, sizeof(Word), out, in)) {
    launch(queue, elements(n, 1), strided_copy_kernel<Word>, n, walk, reinterpret_cast<Word*>(out),
           reinterpret_cast<const Word*>(in));
    return;
  }
  dispatch_size(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_copy(queue, walk, n, reinterpret_cast<T*>(out), reinterpret_cast<const T*>(in));
  });
}

// y, row by row, from x read with the given strides. Params: [offset, axes, sizes..., strides...].
void copy(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  const int axes = int(call.integer(1));
  if (axes > kMaxWalkAxes) throw Error("ERR_SHAPE", "native copy: axes: expected at most 16");
  int64_t to[kMaxWalkAxes], step = 1;
  for (int axis = axes - 1; axis >= 0; --axis) {
    to[axis] = step;
    step *= call.integer(size_t(2 + axis));
  }
  Walk walk;
  for (int axis = 0; axis < axes; ++axis) {
    append_axis(walk, call.integer(size_t(2 + axis)), call.integer(size_t(2 + axes + axis)), to[axis]);
  }
  run_walk(call.queue, walk, y.dtype, y.data, 0, x.data, call.integer(0));
}

// The inputs one behind the other along an axis. Params: [axis].
void concat(const Call& call) {
  const View& y = call.outputs[0];
  const int axis = int(call.integer(0));
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < y.rank; ++i) (i < axis ? outer : inner) *= y.dims[i];
  int64_t done = 0;
  for (const View& x : call.inputs) {
    const int64_t row = outer == 0 ? 0 : x.size() / outer;
    Walk walk;
    append_axis(walk, outer, row, inner);
    append_axis(walk, row, 1, 1);
    run_walk(call.queue, walk, y.dtype, y.data, done, x.data, 0);
    done += row;
  }
}

// x inside a margin of one value. Params: [value, before each axis...].
void pad(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  Padding padding;
  for (int axis = 0; axis < y.rank; ++axis) {
    const int64_t size = y.dims[axis], before = call.integer(size_t(1 + axis)), inside = x.dims[axis];
    // An axis without margin goes on contiguously inside the one before it.
    if (size == inside && padding.axes > 0) {
      const int last = padding.axes - 1;
      padding.sizes[last] *= size;
      padding.before[last] *= size;
      padding.inside[last] *= size;
    } else {
      padding.sizes[padding.axes] = size;
      padding.before[padding.axes] = before;
      padding.inside[padding.axes] = inside;
      ++padding.axes;
    }
  }
  if (padding.axes == 0) {
    padding.axes = 1;
    padding.sizes[0] = padding.inside[0] = 1;
  }
  dispatch_any(y.dtype, [&](auto tag) {
    using Stored = typename decltype(tag)::type;
    dispatch_size(y.dtype, [&](auto bits) {
      using T = typename decltype(bits)::type;
      if constexpr (sizeof(T) == sizeof(Stored)) {
        const T value = bit_copy<T>(store<Stored>(call.params[0]));
        launch(call.queue, elements(y.size(), 1), pad_kernel<T>, y.size(), padding, value, y.as<T>(), x.as<const T>());
      }
    });
  });
}

}  // namespace

void add_data_movement_ops(OpTable& table) {
  table.add({
      {"copy", copy},
      {"concat", concat},
      {"pad", pad},
  });
}

}  // namespace selfnorm::SN_BUILD
