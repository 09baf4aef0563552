#include "flavour.h"

#include <cstdlib>
#include <cstring>
#include <vector>

namespace selfnorm {

#define SN_DECLARE_FLAVOUR(flavour) \
  namespace flavour {               \
  const OpTable& op_table();        \
  }
#ifdef SELFNORM_HAS_CPU_GENERIC
SN_DECLARE_FLAVOUR(cpu_generic)
#endif
#ifdef SELFNORM_HAS_CPU_V2
SN_DECLARE_FLAVOUR(cpu_v2)
#endif
#ifdef SELFNORM_HAS_CPU_V3
SN_DECLARE_FLAVOUR(cpu_v3)
#endif
#ifdef SELFNORM_HAS_CPU_V4
SN_DECLARE_FLAVOUR(cpu_v4)
#endif

namespace {

struct Candidate {
  Flavour flavour;
  bool runs;
};

// Best first.
std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
#if defined(__x86_64__)
  __builtin_cpu_init();
#ifdef SELFNORM_HAS_CPU_V4
  all.push_back({{"cpu_v4", cpu_v4::op_table},
                 __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512vl")});
#endif
#ifdef SELFNORM_HAS_CPU_V3
  all.push_back({{"cpu_v3", cpu_v3::op_table},
                 __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")});
#endif
#ifdef SELFNORM_HAS_CPU_V2
  all.push_back({{"cpu_v2", cpu_v2::op_table}, bool(__builtin_cpu_supports("sse4.2"))});
#endif
#endif
#ifdef SELFNORM_HAS_CPU_GENERIC
  all.push_back({{"cpu_generic", cpu_generic::op_table}, true});
#endif
  return all;
}

Flavour choose() {
  const std::vector<Candidate> all = candidates();
  const char* const wanted = std::getenv("SELFNORM_CPU_LEVEL");
  for (const Candidate& candidate : all) {
    if (candidate.runs && wanted && std::strcmp(candidate.flavour.name + 4, wanted) == 0) return candidate.flavour;
  }
  for (const Candidate& candidate : all) {
    if (candidate.runs) return candidate.flavour;
  }
  throw Error("ERR_DEVICE",
              "selfnorm: this CPU is older than every level the addon was built for; rebuild with "
              "SELFNORM_CPU_LEVELS=generic");
}

}  // namespace

const Flavour& active_flavour() {
  static const Flavour flavour = choose();
  return flavour;
}

}  // namespace selfnorm
