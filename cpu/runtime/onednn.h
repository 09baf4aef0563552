// oneDNN as the CPU backend uses it: one engine, and how many threads a call gets. Only sources with
// SELFNORM_HAS_ONEDNN include this.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <functional>
#include <optional>
#include <unordered_map>

#include "../../cuda/ops/matmul_problem.h"

namespace selfnorm::onednn {

const dnnl::engine& engine();
// Of the calling thread.
dnnl::stream& stream();

// Sets the threads oneDNN uses in the calls of this thread that follow: all workers, or one where waking them would
// take longer than the work. A primitive is made and run under the same number.
void set_threads(int64_t flops);

// Runs body with oneDNN's exceptions turned into Error.
void guarded(const char* what, const std::function<void()>& body);

// The dtype oneDNN computes `dtype` in on this CPU; none where it has no form for it.
std::optional<DType> compute_dtype(DType dtype);
dnnl::memory::data_type data_type(DType dtype);

// The eltwise post-ops that are activation `facts`, if oneDNN has it as exactly as our kernels do: it must keep NaN,
// and come within a few roundings of 1 of the value.
bool fuses(const ActivationFacts& facts, std::span<const double> parameters);
void append_activation(dnnl::post_ops& post_ops, const ActivationFacts& facts, const double* parameters);

// A primitive's descriptor. oneDNN 3 takes what describes the operation at once, version 2 wrapped in a type of its
// own.
template <class Primitive, class... Operation>
typename Primitive::primitive_desc describe(const dnnl::primitive_attr& attributes, const Operation&... operation) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), operation..., attributes};
#else
  return {typename Primitive::desc(operation...), attributes, engine()};
#endif
}

// The same for a gradient, which wants its forward operation's descriptor too.
template <class Primitive, class Forward, class... Operation>
typename Primitive::primitive_desc describe_gradient(const Forward& forward, const Operation&... operation) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), operation..., forward};
#else
  return {typename Primitive::desc(operation...), engine(), forward};
#endif
}

inline constexpr size_t kMostPrepared = 1024;

// What `make` prepared for `problem` in the calling thread: primitives with their memory objects, made once.
template <class Problem, class Make>
auto& prepared(const Problem& problem, Make make) {
  using Entry = decltype(make());
  thread_local std::unordered_map<Problem, Entry, ProblemHash<Problem>, ProblemEqual<Problem>> cache;
  const auto found = cache.find(problem);
  if (found != cache.end()) return found->second;
  // A program whose shapes never repeat must not grow without end.
  if (cache.size() >= kMostPrepared) cache.clear();
  return cache.emplace(problem, make()).first->second;
}

}  // namespace selfnorm::onednn
