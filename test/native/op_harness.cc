#include "op_harness.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

#include "../../cuda/ops/dispatch.h"

namespace selfnorm::test {

using namespace selfnorm::SN_BUILD;

namespace {

View make_view(DType dtype, const Shape& shape) {
  View view;
  view.dtype = dtype;
  view.rank = int(shape.size());
  std::copy(shape.begin(), shape.end(), view.dims);
  view.data = std::malloc(std::max<size_t>(1, size_t(view.size() * size_of(dtype))));
  return view;
}

size_t bytes_of(const View& view) { return size_t(view.size() * size_of(view.dtype)); }

double epsilon(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return std::ldexp(1.0, -23);
    case DType::kFloat16: return std::ldexp(1.0, -10);
    case DType::kBfloat16: return std::ldexp(1.0, -7);
    case DType::kFloat64: return std::ldexp(1.0, -52);
    default: return 0;
  }
}

OpFunction find_op(const std::string& name) {
  static const std::map<std::string, OpFunction> ops = [] {
    std::map<std::string, OpFunction> by_name;
    for (const OpEntry& entry : op_table().ops) by_name[entry.name] = entry.run;
    return by_name;
  }();
  const auto found = ops.find(name);
  if (found == ops.end()) throw std::runtime_error(name + ": not in the op table");
  return found->second;
}

}  // namespace

int64_t size_of_shape(const Shape& shape) {
  int64_t size = 1;
  for (int64_t axis : shape) size *= axis;
  return size;
}

Array::Array(DType dtype, Shape shape) : view_(make_view(dtype, shape)) {
  std::memset(view_.data, 0x5a, bytes_of(view_));
}

Array::Array(DType dtype, Shape shape, const Values& values) : Array(dtype, std::move(shape)) {
  if (int64_t(values.size()) != view_.size()) throw std::runtime_error("Array: as many values as the shape holds");
  dispatch_any(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < values.size(); ++i) view_.as<T>()[i] = store<T>(values[i]);
  });
}

Array::Array(Array&& other) noexcept : view_(other.view_) { other.view_.data = nullptr; }

Array& Array::operator=(Array&& other) noexcept {
  std::swap(view_, other.view_);
  return *this;
}

Array::~Array() { std::free(view_.data); }

Values Array::values() const {
  Values values(size_t(view_.size()));
  dispatch_any(view_.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < values.size(); ++i) values[i] = double(load(view_.as<T>()[i]));
  });
  return values;
}

std::vector<uint8_t> Array::bytes() const {
  const auto* const first = view_.as<uint8_t>();
  return {first, first + bytes_of(view_)};
}

Array Array::copy() const {
  Array other(view_.dtype, Shape(view_.dims, view_.dims + view_.rank));
  std::memcpy(other.view_.data, view_.data, bytes_of(view_));
  return other;
}

void run_op(const std::string& op, int block, const std::vector<const Array*>& inputs,
            const std::vector<Array*>& outputs, const Values& params) {
  Queue queue;
  queue.block = block;
  std::vector<View> in, out;
  for (const Array* input : inputs) in.push_back(input ? input->view() : View{});
  for (const Array* output : outputs) out.push_back(output->view());
  find_op(op)({queue, in, out, params});
}

void check_op(const std::string& op, const std::vector<const Array*>& inputs, const std::vector<Expected>& expected,
              const Values& params, double ulps) {
  for (const int block : kBlockSizes) {
    std::vector<Array> outputs;
    std::vector<Array*> pointers;
    outputs.reserve(expected.size());
    for (const Expected& one : expected) pointers.push_back(&outputs.emplace_back(one.dtype, one.shape));
    run_op(op, block, inputs, pointers, params);
    for (size_t o = 0; o < expected.size(); ++o) {
      const Values actual = outputs[o].values();
      const Values& wanted = expected[o].values;
      ASSERT_EQ(actual.size(), wanted.size()) << op;
      const Values& magnitudes = expected[o].magnitudes.empty() ? wanted : expected[o].magnitudes;
      double scale = 0;
      for (const double value : magnitudes) scale = std::isfinite(value) ? std::max(scale, std::abs(value)) : scale;
      for (size_t i = 0; i < wanted.size(); ++i) {
        if (actual[i] == wanted[i] || (std::isnan(actual[i]) && std::isnan(wanted[i]))) continue;
        const double bound = ulps * epsilon(expected[o].dtype) * std::max(std::abs(magnitudes[i]), scale / 32);
        const double difference = std::abs(actual[i] - wanted[i]);
        ASSERT_TRUE(difference <= bound) << op << " at block size " << block << ", output " << o << ", element " << i
                                         << ": expected " << wanted[i] << ", got " << actual[i];
      }
    }
  }
}

Values random_values(int64_t n, double low, double high, uint32_t seed) {
  std::mt19937 generator(seed);
  Values values(static_cast<size_t>(n));
  // Rounded to float, so that float and double runs see the same inputs.
  for (double& value : values) value = float(low + (high - low) * (double(generator()) / 4294967295.0));
  return values;
}

}  // namespace selfnorm::test
