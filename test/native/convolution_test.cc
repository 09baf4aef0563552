// The plain convolution kernels in the emulator against one loop over every product in double.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

struct Case {
  bool depthwise;
  int64_t batch, height, width, channels;     // of x
  int64_t filter_height, filter_width, last;  // out channels, or the multiplier
  int64_t stride_height, stride_width, pad_top, pad_left, dilation_height, dilation_width;
  int64_t out_height, out_width;
  int64_t groups = 1;

  int64_t out_channels() const { return depthwise ? channels * last : last; }
  Shape x() const { return {batch, height, width, channels}; }
  Shape filter() const { return {filter_height, filter_width, channels / groups, last}; }
  // The first of the input channels that output channel k of a convolution in groups sees.
  int64_t first_seen(int64_t k) const { return k / (last / groups) * (channels / groups); }
  Shape y() const { return {batch, out_height, out_width, out_channels()}; }
  Values params() const {
    return {double(stride_height), double(stride_width),    double(pad_top),
            double(pad_left),      double(dilation_height), double(dilation_width)};
  }
};

const Case kCases[] = {
    {false, 2, 5, 4, 3, 3, 2, 5, 1, 1, 1, 0, 1, 1, 5, 4},
    {false, 1, 7, 9, 2, 3, 3, 66, 2, 3, 0, 1, 1, 1, 3, 3},
    {false, 1, 6, 7, 67, 2, 2, 1, 1, 1, 0, 0, 2, 3, 4, 4},
    {false, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1},
    {false, 0, 3, 3, 2, 2, 2, 2, 1, 1, 0, 0, 1, 1, 2, 2},
    {true, 2, 5, 6, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 5, 6},
    {true, 1, 6, 5, 35, 2, 3, 2, 2, 1, 0, 1, 1, 2, 3, 3},
    // Groups of several channels, across runs of channels; of one channel, which is depthwise.
    {false, 2, 5, 6, 6, 3, 2, 4, 1, 2, 1, 0, 1, 1, 5, 3, 2},
    {false, 1, 4, 5, 15, 2, 2, 72, 2, 1, 0, 1, 1, 2, 2, 4, 3},
    {false, 1, 5, 5, 4, 3, 3, 8, 1, 1, 1, 1, 1, 1, 5, 5, 4},
};

// Calls visit(x element, filter element, y element) for every product of the convolution.
template <class Visit>
void products(const Case& c, Visit visit) {
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t r = 0; r < c.out_height; ++r) {
      for (int64_t q = 0; q < c.out_width; ++q) {
        for (int64_t i = 0; i < c.filter_height; ++i) {
          for (int64_t j = 0; j < c.filter_width; ++j) {
            const int64_t row = r * c.stride_height - c.pad_top + i * c.dilation_height;
            const int64_t column = q * c.stride_width - c.pad_left + j * c.dilation_width;
            if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
            const int64_t from = ((b * c.height + row) * c.width + column) * c.channels;
            const int64_t to = ((b * c.out_height + r) * c.out_width + q) * c.out_channels();
            const int64_t inside = c.channels / c.groups;
            for (int64_t d = 0; d < inside; ++d) {
              for (int64_t k = 0; k < c.last; ++k) {
                const int64_t tap = (i * c.filter_width + j) * inside + d;
                visit(size_t(from + c.first_seen(k) + d), size_t(tap * c.last + k),
                      size_t(to + (c.depthwise ? d * c.last + k : k)));
              }
            }
          }
        }
      }
    }
  }
}

TEST(Convolution, EveryDirectionAgreesWithALoop) {
  for (const Case& c : kCases) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBfloat16}) {
      const Array x(dtype, c.x(), random_values(size_of_shape(c.x()), -1, 1));
      const Array filter(dtype, c.filter(), random_values(size_of_shape(c.filter()), -1, 1, 2));
      const Array dy(dtype, c.y(), random_values(size_of_shape(c.y()), -1, 1, 3));
      const Values vx = x.values(), vf = filter.values(), vdy = dy.values();
      Values y(vdy.size()), dx(vx.size()), dfilter(vf.size());
      products(c, [&](size_t from, size_t weight, size_t to) {
        y[to] += vx[from] * vf[weight];
        dx[from] += vdy[to] * vf[weight];
        dfilter[weight] += vx[from] * vdy[to];
      });
      const std::string op = c.depthwise ? "depthwiseConv2d" : "conv2d";
      check_op(op, {&x, &filter}, {{dtype, c.y(), y}}, c.params(), kReduction);
      check_op(op + "/backwardInput", {&dy, &filter}, {{dtype, c.x(), dx}}, c.params(), kReduction);
      check_op(op + "/backwardFilter", {&x, &dy}, {{dtype, c.filter(), dfilter}}, c.params(), kReduction);
    }
  }
}

TEST(Convolution, BiasThenActivationAndThePreActivation) {
  // Row 1 of the activation table is relu.
  const Case& c = kCases[0];
  const Array x = f32(c.x(), random_values(size_of_shape(c.x()), -1, 1));
  const Array filter = f32(c.filter(), random_values(size_of_shape(c.filter()), -1, 1, 2));
  const Array bias = f32({c.last}, random_values(c.last, -1, 1, 3));
  Values pre(size_t(size_of_shape(c.y())));
  const Values vx = x.values(), vf = filter.values(), vb = bias.values();
  for (size_t i = 0; i < pre.size(); ++i) pre[i] = vb[i % vb.size()];
  products(c, [&](size_t from, size_t weight, size_t to) { pre[to] += vx[from] * vf[weight]; });
  Values y = pre;
  for (double& value : y) value = std::max(value, 0.0);
  Values params = c.params();
  params.push_back(1);
  const Expected output{DType::kFloat32, c.y(), y}, kept{DType::kFloat32, c.y(), pre};
  check_op("conv2d", {&x, &filter, &bias}, {output, kept}, params, kReduction);
  check_op("conv2d", {&x, &filter, &bias}, {output}, params, kReduction);
}

// The gradient through the layer below: the plain gradient, that layer's derivative, and the sums of its channels.
TEST(Convolution, BackwardInputGoesThroughTheActivationBelow) {
  const int64_t batch = 2, height = 5, width = 4, inputs = 3, outputs = 4;
  const Values geometry = {1, 1, 1, 1, 1, 1};
  const int64_t size = batch * height * width;
  for (const DType dtype : {DType::kFloat32, DType::kBfloat16}) {
    const Array dy(dtype, {batch, height, width, outputs}, random_values(size * outputs, -1, 1)),
        filter(dtype, {3, 3, inputs, outputs}, random_values(9 * inputs * outputs, -1, 1, 2)),
        saved(dtype, {batch, height, width, inputs}, random_values(size * inputs, -1, 1, 3));
    const Shape images{batch, height, width, inputs};
    Array plain(dtype, images), expected(dtype, images), dx(dtype, images), sums(dtype, {inputs});
    run_op("conv2d/backwardInput", 32, {&dy, &filter}, {&plain}, geometry);
    run_op("tanh/backward", 32, {&plain, &saved}, {&expected});
    const auto& activations = SN_BUILD::op_table().activations;
    size_t row = 0;
    while (std::string(activations.at(row).name) != "tanh") ++row;
    Values params = geometry;
    params.push_back(double(row));
    run_op("conv2d/backwardInput", 32, {&dy, &filter, &saved}, {&dx, &sums}, params);
    EXPECT_EQ(dx.bytes(), expected.bytes());
    // Without an activation: the sums alone.
    Array linear(dtype, images), all(dtype, {inputs});
    params.back() = -1;
    run_op("conv2d/backwardInput", 32, {&dy, &filter}, {&linear, &all}, params);
    EXPECT_EQ(linear.bytes(), plain.bytes());
    for (const auto& [values, result] : {std::pair(&dx, &sums), std::pair(&linear, &all)}) {
      Values total(size_t(inputs), 0.0), magnitude(size_t(inputs), 0.0);
      const Values terms = values->values();
      for (size_t i = 0; i < terms.size(); ++i) {
        total[i % size_t(inputs)] += terms[i];
        magnitude[i % size_t(inputs)] += std::abs(terms[i]);
      }
      const Values actual = result->values();
      for (size_t i = 0; i < actual.size(); ++i) {
        EXPECT_TRUE(std::abs(actual[i] - total[i]) <= 0.01 * magnitude[i]) << "channel " << i;
      }
    }
  }
}

}  // namespace
}  // namespace selfnorm::test
