// The op tables compiled for several CPU levels, one of which is chosen when the addon loads.
#pragma once

#include "../../cuda/ops/table.h"

namespace selfnorm {

struct Flavour {
  const char* name;
  const OpTable& (*op_table)();
};

// The best flavour this CPU runs, or the one SELFNORM_CPU_LEVEL names (for tests); decided once.
const Flavour& active_flavour();

}  // namespace selfnorm
