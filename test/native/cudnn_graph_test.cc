// The graphs that are handed to cuDNN, worked out node by node as its documentation defines them, against the
// activation functors: what a fused kernel is asked to compute is checked without a GPU. (That it computes what it is
// asked for is cuDNN's part, and is checked on one.)
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../../cuda/runtime/cudnn_activation.h"
#include "../../cuda/runtime/cudnn_graphs.h"

namespace selfnorm::cudnn {
namespace {

using Values = std::map<TensorId, double>;

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double gelu_slope(double x) { return normal_cdf(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI); }

double gelu_tanh(double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }

// d/dx of x times the gate g(x) = (1 + tanh u)/2, written out.
double gelu_tanh_slope(double x) {
  const double c = std::sqrt(2 / M_PI), t = std::tanh(c * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x);
}

double evaluate(const GraphNode& node, double x, double b) {
  const double attribute = node.attribute;
  switch (node.mode) {
    case Mode::kAdd: return x + b;
    case Mode::kMultiply: return x * b;
    case Mode::kSubtract: return x - b;
    case Mode::kDivide: return x / b;
    case Mode::kMinimum: return b < x ? b : x;
    case Mode::kGreater: return x > b ? 1 : 0;
    case Mode::kGreaterEqual: return x >= b ? 1 : 0;
    case Mode::kAbsolute: return std::fabs(x);
    case Mode::kExponential: return std::exp(x);
    case Mode::kRelu: {
      const double below_cap = node.upper_clip >= 0 && x > node.upper_clip ? node.upper_clip : x;
      return x > 0 ? below_cap : attribute * x;
    }
    case Mode::kElu: return x > 0 ? x : attribute * std::expm1(x);
    case Mode::kSoftplus: return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(attribute * x))) / attribute;
    case Mode::kSigmoid: return sigmoid(x);
    case Mode::kTanh: return std::tanh(x);
    case Mode::kGelu: return x * normal_cdf(x);
    case Mode::kGeluTanh: return gelu_tanh(x);
    case Mode::kSilu: return x * sigmoid(x);
    case Mode::kGeluBackward: return b * gelu_slope(x);
    case Mode::kGeluTanhBackward: return b * gelu_tanh_slope(x);
    case Mode::kSiluBackward: return b * (sigmoid(x) + x * sigmoid(x) * sigmoid(-x));
  }
  return NAN;
}

// Works out every node for matrices of one element, or images of one.
void run(const Graph& graph, Values& values) {
  for (TensorId id = 0; id < TensorId(graph.tensors().size()); ++id) {
    if (graph[id].is_scalar) values[id] = graph[id].value;
  }
  for (const GraphNode& node : graph.nodes()) {
    const double x = values.at(node.inputs[0]);
    const double b = node.inputs.size() > 1 ? values.at(node.inputs[1]) : 0;
    switch (node.kind) {
      case GraphNode::Kind::kPointwise: values[node.output] = evaluate(node, x, b); break;
      case GraphNode::Kind::kSum: values[node.output] += x; break;
      default: values[node.output] = x * b;
    }
  }
}

MatmulProblem one_by_one() {
  MatmulProblem problem;
  problem.dtype = DType::kBfloat16;
  problem.m = problem.n = problem.k = 1;
  return problem;
}

const double kInputs[] = {-30, -6.5, -3, -2.5, -1, -0.25, -1e-4, 0, 1e-4, 0.3, 1, 2.75, 3, 5.9, 6, 6.1, 30};
// By name: parameters that are nobody's default.
const double kParameters[2] = {1.37, 1.21};

template <class Visit, class... Functors>
void for_each(Visit visit, SN_BUILD::ActivationList<Functors...>) {
  (visit.template operator()<Functors>(), ...);
}

// Numbers of a graph are float32.
void expect_near(double got, double expected, const std::string& what) {
  EXPECT_TRUE(std::fabs(got - expected) <= 1e-6 * (1 + std::fabs(expected)))
      << what << ": " << got << ", expected " << expected;
}

TEST(CudnnGraph, ComputesEveryActivationBehindBiasedProducts) {
  size_t count = 0;
  for_each(
      [&]<class Activation>() {
        const ActivationFacts facts = Activation::kFacts;
        MatmulProblem problem = one_by_one();
        problem.has_bias = 1;
        Epilogue epilogue;
        epilogue.bias = true;
        epilogue.activation = &facts;
        epilogue.parameters = kParameters;
        const auto fused = matmul_graph(problem, epilogue, 16);
        ASSERT_TRUE(fused) << facts.name;
        for (const double x : kInputs) {
          Values values{{fused->first, 2}, {fused->second, x / 2 - 0.5}, {fused->bias, 1}};
          run(fused->graph, values);
          expect_near(values.at(fused->output), Activation(kParameters).forward(x),
                      std::string(facts.name) + "(" + std::to_string(x) + ")");
        }
        ++count;
      },
      SN_BUILD::Activations{});
  EXPECT_GE(count, 18u);
}

TEST(CudnnGraph, MultipliesByEveryDerivativeThatCudnnHas) {
  std::set<std::string> without;
  for_each(
      [&]<class Activation>() {
        const ActivationFacts facts = Activation::kFacts;
        Epilogue epilogue;
        epilogue.derivative = &facts;
        epilogue.parameters = kParameters;
        epilogue.sums = true;
        const auto fused = matmul_graph(one_by_one(), epilogue, 16);
        if (!fused) {
          without.insert(facts.name);
          return;
        }
        const Activation activation(kParameters);
        for (const double x : kInputs) {
          const double saved = facts.saves == Saves::kInput ? x : activation.forward(x);
          Values values{{fused->first, 3}, {fused->second, 0.7}, {fused->saved, saved}, {fused->sums, 5}};
          run(fused->graph, values);
          const double expected = 2.1 * activation.derivative(saved);
          const std::string what = std::string(facts.name) + "'(" + std::to_string(x) + ")";
          expect_near(values.at(fused->output), expected, what);
          expect_near(values.at(fused->sums), 5 + expected, what + " summed");
        }
      },
      SN_BUILD::Activations{});
  EXPECT_EQ(without, (std::set<std::string>{"hardSwish", "mish"}));
}

TEST(CudnnGraph, KeepsTheActivationsArgumentBesideItsResult) {
  const ActivationFacts facts = SN_BUILD::Gelu::kFacts, linear = SN_BUILD::Linear::kFacts;
  ConvolutionProblem problem;
  problem.dtype = DType::kFloat16;
  problem.batch = problem.in_height = problem.in_width = problem.in_channels = 1;
  problem.out_height = problem.out_width = problem.out_channels = problem.filter_height = problem.filter_width = 1;
  Epilogue epilogue;
  epilogue.bias = epilogue.keeps_pre = true;
  epilogue.activation = &facts;
  epilogue.parameters = kParameters;
  const auto fused = convolution_graph(problem, epilogue, 16);
  ASSERT_TRUE(fused);
  Values values{{fused->first, 3}, {fused->second, 0.5}, {fused->bias, -1}};
  run(fused->graph, values);
  expect_near(values.at(fused->pre), 0.5, "pre");
  expect_near(values.at(fused->output), 0.5 * normal_cdf(0.5), "gelu");
  EXPECT_TRUE(fused->graph[fused->pre].in_memory);
  EXPECT_EQ(fused->graph[fused->pre].dtype, DType::kFloat16);
  // Both would be one tensor.
  epilogue.activation = &linear;
  EXPECT_FALSE(convolution_graph(problem, epilogue, 16));
}

TEST(CudnnGraph, OnlyEndsInMemory) {
  const ActivationFacts facts = SN_BUILD::Selu::kFacts;
  Epilogue epilogue;
  epilogue.activation = &facts;
  epilogue.parameters = kParameters;
  const auto fused = matmul_graph(one_by_one(), epilogue, 16);
  ASSERT_TRUE(fused);
  const std::vector<GraphNode>& nodes = fused->graph.nodes();
  for (const GraphNode& node : nodes) EXPECT_EQ(fused->graph[node.output].in_memory, &node == &nodes.back());
  EXPECT_EQ(nodes.back().output, fused->output);
  EXPECT_FALSE(fused->graph.adds_atomically());
  epilogue.sums = true;
  EXPECT_TRUE(matmul_graph(one_by_one(), epilogue, 16)->graph.adds_atomically());
}

TEST(CudnnGraph, ReadsWhatWasStoredOfAResult) {
  Graph graph;
  const TensorId x = graph.memory(DType::kFloat16, {1, 1, 1}, {1, 1, 1}, 16);
  const TensorId half = graph.memory(DType::kFloat16, {1, 1, 1}, {1, 1, 1}, 16);
  const TensorId z = graph.unary(Mode::kTanh, x), y = graph.unary(Mode::kAbsolute, z);
  graph.into(z, half);
  EXPECT_EQ(graph.nodes()[0].output, half);
  EXPECT_EQ(graph.nodes()[1].inputs, (std::vector<TensorId>{half}));
  EXPECT_EQ(graph.nodes()[1].output, y);
}

TEST(CudnnGraph, HasOneTextForOnePlan) {
  const ActivationFacts selu = SN_BUILD::Selu::kFacts, elu = SN_BUILD::Elu::kFacts;
  MatmulProblem problem = one_by_one();
  Epilogue epilogue;
  epilogue.activation = &selu;
  epilogue.parameters = kParameters;
  const std::string text = matmul_graph(problem, epilogue, 16)->graph.text();
  EXPECT_EQ(matmul_graph(problem, epilogue, 16)->graph.text(), text);
  std::set<std::string> texts{text};
  const auto add = [&](const std::optional<FusedGraph>& fused) {
    ASSERT_TRUE(fused);
    EXPECT_TRUE(texts.insert(fused->graph.text()).second) << fused->graph.text();
  };
  // SELU's scale is given when the plan runs, its alpha is compiled in.
  const double other_scale[2] = {kParameters[0], 2}, other_alpha[2] = {1.38, kParameters[1]};
  epilogue.parameters = other_scale;
  EXPECT_EQ(matmul_graph(problem, epilogue, 16)->graph.text(), text);
  epilogue.parameters = other_alpha;
  add(matmul_graph(problem, epilogue, 16));
  add(matmul_graph(problem, epilogue, 2));
  epilogue.activation = &elu;
  add(matmul_graph(problem, epilogue, 16));
  problem.transpose_b = 1;
  problem.k = 2;
  add(matmul_graph(problem, epilogue, 16));
  problem.transpose_b = 0;
  add(matmul_graph(problem, epilogue, 16));
  problem.dtype = DType::kFloat16;
  add(matmul_graph(problem, epilogue, 16));
}

TEST(CudnnGraph, SharesOneMatrixAmongABatch) {
  MatmulProblem problem = one_by_one();
  problem.batch = 4;
  problem.m = 2;
  problem.n = 3;
  problem.k = 5;
  problem.stride_a = 10;
  problem.stride_b = 0;
  problem.transpose_a = 1;
  const auto fused = matmul_graph(problem, {}, 16);
  ASSERT_TRUE(fused);
  EXPECT_EQ(fused->graph[fused->first].sizes, (std::vector<int64_t>{4, 2, 5}));
  EXPECT_EQ(fused->graph[fused->first].strides, (std::vector<int64_t>{10, 1, 2}));
  EXPECT_EQ(fused->graph[fused->second].sizes, (std::vector<int64_t>{1, 5, 3}));
  EXPECT_EQ(fused->graph[fused->output].sizes, (std::vector<int64_t>{4, 2, 3}));
}

TEST(CudnnGraph, LeavesExactFloatsToOthers) {
  MatmulProblem problem = one_by_one();
  problem.dtype = DType::kFloat32;
  EXPECT_FALSE(matmul_graph(problem, {}, 16));
  problem.tensor_float32 = 1;
  EXPECT_TRUE(matmul_graph(problem, {}, 16));
  problem.dtype = DType::kFloat64;
  EXPECT_FALSE(matmul_graph(problem, {}, 16));
}

}  // namespace
}  // namespace selfnorm::cudnn
