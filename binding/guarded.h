// The edge between C++ and JavaScript: exceptions become JavaScript's.
#pragma once

#include <napi.h>

#include "instance.h"

namespace selfnorm {

// Runs a function of the addon so that every C++ exception becomes a JavaScript one.
template <class Body>
Napi::Value guarded(const Napi::CallbackInfo& info, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw_to_javascript(info.Env());
    return {};
  }
}

}  // namespace selfnorm
