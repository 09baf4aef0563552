#include "cudnn_plan.h"

#include <algorithm>
#include <map>

namespace selfnorm::cudnn {
namespace {

using Kind = GraphNode::Kind;

cudnnDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat16: return CUDNN_DATA_HALF;
    case DType::kBfloat16: return CUDNN_DATA_BFLOAT16;
    default: return CUDNN_DATA_FLOAT;
  }
}

cudnnPointwiseMode_t pointwise_mode(Mode mode) {
  switch (mode) {
    case Mode::kAdd: return CUDNN_POINTWISE_ADD;
    case Mode::kMultiply: return CUDNN_POINTWISE_MUL;
    case Mode::kSubtract: return CUDNN_POINTWISE_SUB;
    case Mode::kDivide: return CUDNN_POINTWISE_DIV;
    case Mode::kMinimum: return CUDNN_POINTWISE_MIN;
    case Mode::kGreater: return CUDNN_POINTWISE_CMP_GT;
    case Mode::kGreaterEqual: return CUDNN_POINTWISE_CMP_GE;
    case Mode::kAbsolute: return CUDNN_POINTWISE_ABS;
    case Mode::kExponential: return CUDNN_POINTWISE_EXP;
    case Mode::kRelu: return CUDNN_POINTWISE_RELU_FWD;
    case Mode::kElu: return CUDNN_POINTWISE_ELU_FWD;
    case Mode::kSoftplus: return CUDNN_POINTWISE_SOFTPLUS_FWD;
    case Mode::kSigmoid: return CUDNN_POINTWISE_SIGMOID_FWD;
    case Mode::kTanh: return CUDNN_POINTWISE_TANH_FWD;
    case Mode::kGelu: return CUDNN_POINTWISE_GELU_FWD;
    case Mode::kGeluTanh: return CUDNN_POINTWISE_GELU_APPROX_TANH_FWD;
    case Mode::kSilu: return CUDNN_POINTWISE_SWISH_FWD;
    case Mode::kGeluBackward: return CUDNN_POINTWISE_GELU_BWD;
    case Mode::kGeluTanhBackward: return CUDNN_POINTWISE_GELU_APPROX_TANH_BWD;
    default: return CUDNN_POINTWISE_SWISH_BWD;
  }
}

bool is_backward(Mode mode) {
  return mode == Mode::kGeluBackward || mode == Mode::kGeluTanhBackward || mode == Mode::kSiluBackward;
}

Descriptor tensor_descriptor(TensorId id, const GraphTensor& tensor) {
  Descriptor descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const bool in_registers = !tensor.in_memory;
  descriptor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(tensor.dtype))
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, tensor.sizes)
      .set(CUDNN_ATTR_TENSOR_STRIDES, tensor.strides)
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, tensor.alignment);
  if (in_registers) descriptor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  if (tensor.is_scalar) descriptor.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, true);
  descriptor.finalize();
  return descriptor;
}

// Turns a Graph into cuDNN's descriptors, which refer to each other and so live as long as this does.
class Builder {
 public:
  explicit Builder(const Graph& graph) : graph_(graph) {
    for (const GraphNode& node : graph.nodes()) operations_.push_back(operation(node));
  }

  // None: no engine of this cuDNN can take the graph.
  std::optional<Descriptor> operation_graph(cudnnHandle_t handle) const {
    std::vector<cudnnBackendDescriptor_t> raw;
    for (const Descriptor& operation : operations_) raw.push_back(operation.get());
    Descriptor whole(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    whole.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, int64_t(raw.size()), raw.data());
    if (handle != nullptr) whole.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
    if (cudnnBackendFinalize(whole.get()) != CUDNN_STATUS_SUCCESS) return std::nullopt;
    return whole;
  }

 private:
  const Descriptor& tensor(TensorId id) {
    const auto found = tensors_.find(id);
    if (found != tensors_.end()) return found->second;
    return tensors_.emplace(id, tensor_descriptor(id, graph_[id])).first->second;
  }

  Descriptor operation(const GraphNode& node) {
    switch (node.kind) {
      case Kind::kMatmul: return matmul(node);
      case Kind::kPointwise: return pointwise(node);
      case Kind::kSum: return sum(node);
      default: return convolution(node);
    }
  }

  Descriptor matmul(const GraphNode& node) {
    Descriptor how(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    how.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT).finalize();
    Descriptor operation(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, tensor(node.inputs[0]))
        .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, tensor(node.inputs[1]))
        .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, tensor(node.output))
        .set(CUDNN_ATTR_OPERATION_MATMUL_DESC, how)
        .finalize();
    details_.push_back(std::move(how));
    return operation;
  }

  Descriptor convolution(const GraphNode& node) {
    const Windows& w = node.windows;
    Descriptor how(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    how.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t(2))
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {w.pad_top, w.pad_left})
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {w.pad_bottom, w.pad_right})
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {w.stride_height, w.stride_width})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {w.dilation_height, w.dilation_width})
        .finalize();
    Descriptor operation = convolution_operation(node, how);
    details_.push_back(std::move(how));
    return operation;
  }

  Descriptor convolution_operation(const GraphNode& node, const Descriptor& how) {
    const Descriptor &a = tensor(node.inputs[0]), &b = tensor(node.inputs[1]), &to = tensor(node.output);
    if (node.kind == Kind::kConvolution) {
      Descriptor forward(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
      forward.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, a)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, b)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, to)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f)
          .finalize();
      return forward;
    }
    if (node.kind == Kind::kConvolutionBackwardInput) {
      Descriptor backward(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
      backward.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, a)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, b)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, to)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, how)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0f)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0f)
          .finalize();
      return backward;
    }
    Descriptor backward(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
    backward.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, a)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, b)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, to)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, how)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0f)
        .finalize();
    return backward;
  }

  Descriptor pointwise(const GraphNode& node) {
    Descriptor how(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    const cudnnPointwiseMode_t mode = pointwise_mode(node.mode);
    how.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    const auto set_number = [&](cudnnBackendAttributeName_t name, double value) {
      how.set(name, CUDNN_TYPE_DOUBLE, 1, &value);
    };
    if (node.mode == Mode::kRelu) {
      set_number(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, node.attribute);
      if (node.upper_clip >= 0) set_number(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, node.upper_clip);
    }
    if (node.mode == Mode::kElu) set_number(CUDNN_ATTR_POINTWISE_ELU_ALPHA, node.attribute);
    if (node.mode == Mode::kSoftplus) set_number(CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, node.attribute);
    if (node.mode == Mode::kSilu || node.mode == Mode::kSiluBackward) {
      set_number(CUDNN_ATTR_POINTWISE_SWISH_BETA, 1);
    }
    how.finalize();
    Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensor(node.inputs[0]));
    if (is_backward(node.mode)) {
      operation.set(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, tensor(node.inputs[1]))
          .set(CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, tensor(node.output));
    } else {
      if (node.inputs.size() > 1) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensor(node.inputs[1]));
      operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensor(node.output));
    }
    operation.finalize();
    details_.push_back(std::move(how));
    return operation;
  }

  Descriptor sum(const GraphNode& node) {
    Descriptor how(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    const cudnnReduceTensorOp_t add = CUDNN_REDUCE_TENSOR_ADD;
    how.set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &add)
        .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .finalize();
    Descriptor operation(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, tensor(node.inputs[0]))
        .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, tensor(node.output))
        .set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, how)
        .finalize();
    details_.push_back(std::move(how));
    return operation;
  }

  const Graph& graph_;
  std::map<TensorId, Descriptor> tensors_;
  std::vector<Descriptor> details_, operations_;
};

// What an engine says of itself.
struct Engine {
  int64_t number = -1;
  std::vector<cudnnBackendNumericalNote_t> numerics;
  bool compiles = false;

  bool notes(cudnnBackendNumericalNote_t note) const {
    return std::find(numerics.begin(), numerics.end(), note) != numerics.end();
  }
};

Engine engine_of(const Descriptor& configuration) {
  Descriptor descriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = descriptor.get();
  int64_t count = 0;
  check(cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                 &count, &raw),
        "cudnnBackendGetAttribute(ENGINECFG_ENGINE)");
  Engine engine;
  check(cudnnBackendGetAttribute(raw, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &count, &engine.number),
        "cudnnBackendGetAttribute(ENGINE_GLOBAL_INDEX)");
  cudnnBackendNumericalNote_t numerics[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  check(cudnnBackendGetAttribute(raw, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, numerics),
        "cudnnBackendGetAttribute(ENGINE_NUMERICAL_NOTE)");
  // A newer cuDNN may know more notes than there is room for.
  engine.numerics.assign(numerics, numerics + std::min<int64_t>(count, CUDNN_NUMERICAL_NOTE_TYPE_COUNT));
  cudnnBackendBehaviorNote_t behaviours[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
  check(cudnnBackendGetAttribute(raw, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                                 CUDNN_BEHAVIOR_NOTE_TYPE_COUNT, &count, behaviours),
        "cudnnBackendGetAttribute(ENGINE_BEHAVIOR_NOTE)");
  cudnnBackendBehaviorNote_t* const end = behaviours + std::min<int64_t>(count, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  engine.compiles = std::find(behaviours, end, CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != end;
  return engine;
}

bool acceptable(const Engine& engine, const Requirements& requirements) {
  if (requirements.tensor_cores_only && !engine.notes(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)) return false;
  return std::none_of(engine.numerics.begin(), engine.numerics.end(), [&](cudnnBackendNumericalNote_t note) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION: return true;
      // Transforms lose digits as well.
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD: return requirements.strict_float32;
      default: return false;
    }
  });
}

// Engine configurations of one heuristic, best first; none where it has no answer.
std::vector<Descriptor> configurations(const Target& target, const Descriptor& graph, cudnnBackendHeurMode_t mode) {
  Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  if (target.properties != nullptr) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.properties);
  std::vector<Descriptor> found;
  if (cudnnBackendFinalize(heuristic.get()) != CUDNN_STATUS_SUCCESS) return found;
  int64_t count = 0;
  check(cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                                 &count, nullptr),
        "cudnnBackendGetAttribute(ENGINEHEUR_RESULTS)");
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < count; ++i) {
    found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    raw.push_back(found.back().get());
  }
  if (count > 0) {
    check(cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count,
                                   &count, raw.data()),
          "cudnnBackendGetAttribute(ENGINEHEUR_RESULTS)");
  }
  // A configuration that was asked for and not filled in must not be used: finalizing a plan with it ends the process.
  found.erase(found.begin() + std::min<int64_t>(count, int64_t(found.size())), found.end());
  return found;
}

void set_target(Descriptor& plan, const Target& target) {
  if (target.properties != nullptr)
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties);
  else
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
}

}  // namespace

Plan::Plan(Descriptor plan) : plan_(std::move(plan)) {
  int64_t bytes = 0, count = 0;
  check(cudnnBackendGetAttribute(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count,
                                 &bytes),
        "cudnnBackendGetAttribute(EXECUTION_PLAN_WORKSPACE_SIZE)");
  workspace_ = size_t(bytes);
}

std::optional<Plan> Plan::find(const Target& target, const Graph& graph, const Requirements& requirements) {
  const Builder builder(graph);
  const std::optional<Descriptor> operations = builder.operation_graph(target.handle);
  if (!operations) return std::nullopt;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const Descriptor& configuration : configurations(target, *operations, mode)) {
      const Engine engine = engine_of(configuration);
      if (!acceptable(engine, requirements)) continue;
      Descriptor descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      set_target(descriptor, target);
      descriptor.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      // The heuristic also names engines that turn out not to support the case.
      if (cudnnBackendFinalize(descriptor.get()) != CUDNN_STATUS_SUCCESS) continue;
      Plan plan(std::move(descriptor));
      if (plan.workspace_ > requirements.workspace) continue;
      plan.engine_ = engine.number;
      plan.compiled_ = engine.compiles;
      return plan;
    }
  }
  return std::nullopt;
}

std::optional<Plan> Plan::restore(const Target& target, const std::string& json) {
  Descriptor descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  set_target(descriptor, target);
  // With its terminating zero, as json() got it.
  if (cudnnBackendSetAttribute(descriptor.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                               int64_t(json.size()), json.data()) != CUDNN_STATUS_SUCCESS ||
      cudnnBackendFinalize(descriptor.get()) != CUDNN_STATUS_SUCCESS) {
    return std::nullopt;
  }
  Plan plan(std::move(descriptor));
  plan.compiled_ = true;
  return plan;
}

std::string Plan::json() const {
  int64_t bytes = 0;
  check(cudnnBackendGetAttribute(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &bytes,
                                 nullptr),
        "cudnnBackendGetAttribute(EXECUTION_PLAN_JSON_REPRESENTATION)");
  std::string text(size_t(bytes), '\0');
  check(cudnnBackendGetAttribute(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, bytes,
                                 &bytes, text.data()),
        "cudnnBackendGetAttribute(EXECUTION_PLAN_JSON_REPRESENTATION)");
  text.resize(size_t(bytes));
  return text;
}

void Plan::run(cudnnHandle_t handle, const std::vector<int64_t>& ids, const std::vector<void*>& addresses,
               void* workspace) const {
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, int64_t(addresses.size()), addresses.data())
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace)
      .finalize();
  check(cudnnBackendExecute(handle, plan_.get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace selfnorm::cudnn
