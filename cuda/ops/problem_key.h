// Problem structs as keys of std::unordered_map: what a library prepared for a problem is kept under its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace selfnorm {

template <class Problem>
struct ProblemHash {
  size_t operator()(const Problem& problem) const {
    // The structs have no padding, so their bytes are their values.
    static_assert(sizeof(Problem) % sizeof(uint32_t) == 0);
    uint32_t words[sizeof(Problem) / sizeof(uint32_t)];
    std::memcpy(words, &problem, sizeof(problem));
    uint64_t hash = 14695981039346656037u;
    for (const uint32_t word : words) hash = (hash ^ word) * 1099511628211u;
    return size_t(hash ^ (hash >> 32));
  }
};
template <class Problem>
struct ProblemEqual {
  bool operator()(const Problem& a, const Problem& b) const { return std::memcmp(&a, &b, sizeof(Problem)) == 0; }
};

}  // namespace selfnorm
