#ifdef SELFNORM_HAS_ONEDNN
#include "onednn.h"

#include <omp.h>

#include <string_view>

#include "workers.h"

namespace selfnorm::onednn {

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl::stream& stream() {
  thread_local dnnl::stream stream(engine());
  return stream;
}

void set_threads(int64_t flops) {
  // One or all: OpenMP ends threads when a team shrinks and must start them again.
  constexpr int64_t kWorthAllThreads = 1 << 20;
  const bool parallel = flops >= kWorthAllThreads;
  if (parallel) note_team();
  omp_set_num_threads(parallel ? worker_count() : 1);
}

void guarded(const char* what, const std::function<void()>& body) {
  try {
    body();
  } catch (const dnnl::error& error) {
    const bool memory = error.status == dnnl_out_of_memory;
    throw Error(memory ? "ERR_OUT_OF_MEMORY" : "ERR_INTERNAL", std::string("oneDNN: ") + what + ": " + error.what());
  }
}

std::optional<DType> compute_dtype(DType dtype) {
  static const bool has_bfloat16 = int(dnnl::get_effective_cpu_isa()) >= int(dnnl::cpu_isa::avx512_core_bf16);
  switch (dtype) {
    case DType::kFloat32: return DType::kFloat32;
    case DType::kBfloat16: return has_bfloat16 ? DType::kBfloat16 : DType::kFloat32;
    case DType::kFloat16: return DType::kFloat32;
    default: return std::nullopt;
  }
}

dnnl::memory::data_type data_type(DType dtype) {
  return dtype == DType::kBfloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

// Left out, because NaN becomes 0 or the values are farther off: relu, relu6, softplus, gelu at infinity, silu, mish.
bool fuses(const ActivationFacts& facts, std::span<const double> parameters) {
  const std::string_view name = facts.name;
  if (name == "leakyRelu") return float(parameters[0]) != 0;
  return name == "linear" || name == "elu" || name == "selu" || name == "tanh" || name == "sigmoid";
}

void append_activation(dnnl::post_ops& post_ops, const ActivationFacts& facts, const double* parameters) {
  using dnnl::algorithm;
  // Up to version 2 a function came with a factor, which costs less than another post-op.
  const auto append = [&](algorithm function, float alpha, float factor = 1) {
#if DNNL_VERSION_MAJOR >= 3
    post_ops.append_eltwise(function, alpha, 0);
    if (factor != 1) post_ops.append_eltwise(algorithm::eltwise_linear, factor, 0);
#else
    post_ops.append_eltwise(factor, function, alpha, 0);
#endif
  };
  const std::string_view name = facts.name;
  if (name == "leakyRelu") {
    append(algorithm::eltwise_relu, float(parameters[0]));
  } else if (name == "elu") {
    append(algorithm::eltwise_elu, float(parameters[0]));
  } else if (name == "selu") {
    append(algorithm::eltwise_elu, float(parameters[0]), float(parameters[1]));
  } else if (name == "tanh") {
    append(algorithm::eltwise_tanh, 0);
  } else if (name == "sigmoid") {
    append(algorithm::eltwise_logistic, 0);
  }
}

}  // namespace selfnorm::onednn
#endif
