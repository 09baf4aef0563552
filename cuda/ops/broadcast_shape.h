// From the shapes of an op's operands to the merged axes its kernel walks.
#pragma once

#include "../kernels/broadcast.h"
#include "op.h"

namespace selfnorm::SN_BUILD {

// Merges neighbouring axes along which every operand either walks on contiguously or stands still; drops axes of
// size 1.
template <int Operands>
Broadcast<Operands> broadcast_shape(const View& output, const View (&operands)[Operands]) {
  Broadcast<Operands> shape;
  int64_t step[Operands];
  for (int operand = 0; operand < Operands; ++operand) step[operand] = 1;
  // Built from the innermost axis outwards, then turned round.
  for (int axis = output.rank - 1; axis >= 0; --axis) {
    const int64_t size = output.dims[axis];
    int64_t stride[Operands];
    bool merges = shape.axes > 0;
    for (int operand = 0; operand < Operands; ++operand) {
      const int64_t own = operands[operand].dim(axis - output.rank);
      stride[operand] = own == 1 ? 0 : step[operand];
      step[operand] *= own;
      if (merges) {
        const int last = shape.axes - 1;
        merges = stride[operand] == shape.strides[operand][last] * shape.sizes[last];
      }
    }
    if (size == 1) continue;
    if (merges) {
      shape.sizes[shape.axes - 1] *= size;
      continue;
    }
    shape.sizes[shape.axes] = size;
    for (int operand = 0; operand < Operands; ++operand) shape.strides[operand][shape.axes] = stride[operand];
    ++shape.axes;
  }
  if (shape.axes == 0) {
    shape.axes = 1;
    shape.sizes[0] = 1;
  }
  for (int low = 0, high = shape.axes - 1; low < high; ++low, --high) {
    std::swap(shape.sizes[low], shape.sizes[high]);
    for (int operand = 0; operand < Operands; ++operand)
      std::swap(shape.strides[operand][low], shape.strides[operand][high]);
  }
  return shape;
}

}  // namespace selfnorm::SN_BUILD
