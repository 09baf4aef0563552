// Stores past the cache, for CPU results larger than it: an ordinary store first reads the line it overwrites, which is
// a third of an elementwise op's memory traffic. The GPU and the emulator do not need this file.
#pragma once

#include "portable.h"

#if !SN_GPU && !SN_EMULATOR && defined(__SSE2__)
#include <immintrin.h>
#endif

namespace selfnorm {
// Results of at least this many bytes go past the cache.
extern const int64_t stream_threshold;
}  // namespace selfnorm

namespace selfnorm::SN_BUILD {

inline constexpr int64_t kStreamTile = 4096;  // bytes, well inside the first-level cache

#if !SN_GPU && !SN_EMULATOR && defined(__SSE2__)
inline constexpr bool kStreams = true;

// Both 64-byte aligned; bytes a multiple of 64.
inline void stream_copy(void* to, const void* from, int64_t bytes) {
  auto* const target = static_cast<char*>(to);
  const auto* const source = static_cast<const char*>(from);
  for (int64_t i = 0; i < bytes; i += 64) {
#if defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i), _mm512_load_si512(source + i));
#elif defined(__AVX__)
    for (int half = 0; half < 64; half += 32) {
      _mm256_stream_si256(reinterpret_cast<__m256i*>(target + i + half),
                          _mm256_load_si256(reinterpret_cast<const __m256i*>(source + i + half)));
    }
#else
    for (int quarter = 0; quarter < 64; quarter += 16) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(target + i + quarter),
                       _mm_load_si128(reinterpret_cast<const __m128i*>(source + i + quarter)));
    }
#endif
  }
}
// Streamed stores become visible to other threads only after this.
inline void stream_fence() { _mm_sfence(); }
#else
inline constexpr bool kStreams = false;
inline void stream_copy(void*, const void*, int64_t) {}
inline void stream_fence() {}
#endif

}  // namespace selfnorm::SN_BUILD
