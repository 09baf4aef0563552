// Formulas of the user's: one elementwise kernel for whatever arithmetic the parameters describe (formula_code.h).
#include "runtime/formula.h"

#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

void run_formula(const Call& call) {
  const View& y = call.outputs[0];
  const FormulaCode code = read_formula(call.params, call.inputs.size());
  const void* inputs[kMostFormulaInputs] = {};
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    if (call.inputs[i].dtype != y.dtype || call.inputs[i].size() != y.size()) {
      throw Error("ERR_INTERNAL", "formula: expected operands of one dtype and size");
    }
    inputs[i] = call.inputs[i].data;
  }
  launch_formula(call.queue, code, y.dtype, y.size(), y.data, inputs);
}

}  // namespace

void add_formula_ops(OpTable& table) { table.add({{"formula", run_formula}}); }

}  // namespace selfnorm::SN_BUILD
