// What a convolution is to a library: plain numbers, so that they can be the key of a cache of plans.
#pragma once

#include "op.h"
#include "problem_key.h"

namespace selfnorm {

// Images are NHWC, filters [height, width, in channels / groups, out channels]: the output channels of a group see the
// input channels of that group only. A depthwise convolution has as many groups as input channels; its filter
// [height, width, in channels, multiplier] lies in memory just so.
struct ConvolutionProblem {
  DType dtype = DType::kFloat32;
  int32_t has_bias = 0;
  int32_t tensor_float32 = 0;  // CUDA: float32 operands may be rounded to TF32
  int32_t activation = -1;     // row of the activation table applied to the result; -1: none
  int32_t direction = 0;       // ConvolutionDirection
  int32_t keeps_pre = 0;       // the activation's input is wanted beside its result
  int64_t groups = 1;
  int64_t batch = 0, in_height = 0, in_width = 0, in_channels = 0;
  int64_t out_height = 0, out_width = 0, out_channels = 0;
  int64_t filter_height = 0, filter_width = 0;
  int64_t stride_height = 1, stride_width = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t dilation_height = 1, dilation_width = 1;
  double parameters[2] = {};  // of the activation

  // Channels of a group.
  int64_t group_inputs() const { return in_channels / groups; }
  int64_t group_outputs() const { return out_channels / groups; }
  int64_t filter_size() const { return filter_height * filter_width * group_inputs() * out_channels; }
  int64_t flops() const { return 2 * batch * out_height * out_width * filter_size(); }
  // Padding below and to the right; never negative: inputs that no window reaches are left over.
  int64_t pad_bottom() const {
    return rest(in_height, out_height, filter_height, stride_height, dilation_height, pad_top);
  }
  int64_t pad_right() const { return rest(in_width, out_width, filter_width, stride_width, dilation_width, pad_left); }

 private:
  static int64_t rest(int64_t in, int64_t out, int64_t filter, int64_t stride, int64_t dilation, int64_t before) {
    const int64_t needed = (out - 1) * stride + (filter - 1) * dilation + 1 - in - before;
    return needed < 0 ? 0 : needed;
  }
};

enum ConvolutionDirection : int32_t { kForward, kBackwardInput, kBackwardFilter };

}  // namespace selfnorm
