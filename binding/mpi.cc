// Joining a job by MPI, and messages between its hosts: promises that the engine's thread settles, so that none waits
// in the thread pool for other processes.
#include <napi.h>

#include "collectives.h"
#include "guarded.h"
#include "runtime/communicator.h"

namespace selfnorm {
namespace {

// A promise that another thread settles once.
class Promised {
 public:
  Promised(Napi::Env env, const char* name)
      : deferred_(Napi::Promise::Deferred::New(env)),
        settle_(Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), name, 0,
                                              1)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void resolve(std::function<Napi::Value(Napi::Env)> value) {
    settle([value = std::move(value)](Napi::Env env, const Napi::Promise::Deferred& deferred) {
      deferred.Resolve(value(env));
    });
  }
  void reject(std::string why) {
    settle([why = std::move(why)](Napi::Env env, const Napi::Promise::Deferred& deferred) {
      Napi::Error error = Napi::Error::New(env, why);
      error.Set("code", "ERR_DEVICE");
      deferred.Reject(error.Value());
    });
  }

 private:
  using Settle = std::function<void(Napi::Env, const Napi::Promise::Deferred&)>;
  void settle(Settle how) {
    auto* const job = new std::pair<Settle, Napi::Promise::Deferred>(std::move(how), deferred_);
    const napi_status status = settle_.BlockingCall(job, [](Napi::Env env, Napi::Function, decltype(job) settled) {
      if (env != nullptr) {
        const Napi::HandleScope scope(env);
        settled->first(env, settled->second);
      }
      delete settled;
    });
    if (status != napi_ok) delete job;
    settle_.Release();
  }

  Napi::Promise::Deferred deferred_;
  Napi::ThreadSafeFunction settle_;
};

// Runs on a thread of its own what blocks until other processes come.
void aside(std::shared_ptr<Promised> promised, std::function<std::function<Napi::Value(Napi::Env)>()> body) {
  std::thread([promised = std::move(promised), body = std::move(body)] {
    try {
      promised->resolve(body());
    } catch (const std::exception& error) {
      promised->reject(error.what());
    }
  }).detach();
}

// openMpi(path of the module): {rank, size, library}
Napi::Value open_mpi(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto promised = std::make_shared<Promised>(info.Env(), "selfnorm.mpi");
    aside(promised, [module = info[0].ToString().Utf8Value()]() -> std::function<Napi::Value(Napi::Env)> {
      const Communicator::World world = Communicator::instance().open(module);
      return [world](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result["rank"] = world.rank;
        result["size"] = world.size;
        result["library"] = world.library;
        return result;
      };
    });
    return promised->promise();
  });
}

// exchange(bytes): the bytes of every rank, as ArrayBuffers in the order of ranks.
Napi::Value exchange(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto bytes = info[0].As<Napi::Uint8Array>();
    const auto* const from = reinterpret_cast<const std::byte*>(bytes.Data());
    auto promised = std::make_shared<Promised>(info.Env(), "selfnorm.exchange");
    Communicator::instance().exchange({from, from + bytes.ByteLength()},
                                      [promised](std::vector<std::vector<std::byte>> parts, const std::string& why) {
                                        if (!why.empty()) return promised->reject("distributed: " + why);
                                        promised->resolve([parts = std::move(parts)](Napi::Env env) -> Napi::Value {
                                          Napi::Array list = Napi::Array::New(env, parts.size());
                                          for (uint32_t i = 0; i < parts.size(); ++i) {
                                            Napi::ArrayBuffer part = Napi::ArrayBuffer::New(env, parts[i].size());
                                            std::copy(parts[i].begin(), parts[i].end(),
                                                      static_cast<std::byte*>(part.Data()));
                                            list[i] = part;
                                          }
                                          return list;
                                        });
                                      });
    return promised->promise();
  });
}

// closeMpi(): a promise that this process has left the job, which waits for the others to leave.
Napi::Value close_mpi(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto promised = std::make_shared<Promised>(info.Env(), "selfnorm.mpi");
    aside(promised, []() -> std::function<Napi::Value(Napi::Env)> {
      Communicator::instance().close();
      return [](Napi::Env env) -> Napi::Value { return env.Undefined(); };
    });
    return promised->promise();
  });
}

// abortJob(code): does not return.
Napi::Value abort_job(const Napi::CallbackInfo& info) {
  Communicator::instance().abort(info[0].ToNumber().Int32Value());
}

}  // namespace

void add_engine_exports(napi_env env, napi_value exports) {
  Napi::Object to(env, exports);
  const auto add = [&](const char* name, auto function) { to[name] = Napi::Function::New(env, function, name); };
  add("openMpi", open_mpi);
  add("exchange", exchange);
  add("closeMpi", close_mpi);
  add("abortJob", abort_job);
}

}  // namespace selfnorm
