// Waiting that must not hold up the event loop: in the thread pool, for a promise.
#pragma once

#include <napi.h>

namespace selfnorm {

// wait() runs in the thread pool; the promise resolves with result(), or is rejected with what wait() threw.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  PromiseWorker(Napi::Env env, const char* name)
      : AsyncWorker(env, name), deferred_(Napi::Promise::Deferred::New(env)) {}
  virtual void wait() = 0;
  virtual Napi::Value result() = 0;

  void Execute() final {
    try {
      wait();
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() final { deferred_.Resolve(result()); }
  void OnError(const Napi::Error& error) final {
    Napi::Error coded = error;
    coded.Set("code", "ERR_CUDA");
    deferred_.Reject(coded.Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
};

}  // namespace selfnorm
