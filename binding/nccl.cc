// Joining a job by NCCL. Its id comes from rank 0, through whatever the hosts talk by.
#include <napi.h>

#include <cstring>

#include "collectives.h"
#include "guarded.h"
#include "promise_worker.h"
#include "runtime/communicator.h"

namespace selfnorm {
namespace {

// ncclId(library): what rank 0 gives to the others.
Napi::Value nccl_id(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const NcclId id = Communicator::make_id(info[0].ToString().Utf8Value());
    Napi::ArrayBuffer bytes = Napi::ArrayBuffer::New(info.Env(), sizeof id.bytes);
    std::memcpy(bytes.Data(), id.bytes, sizeof id.bytes);
    return bytes;
  });
}

class OpenWorker : public PromiseWorker {
 public:
  OpenWorker(Napi::Env env, std::string library, const NcclId& id, int rank, int size, int device)
      : PromiseWorker(env, "selfnorm.nccl"),
        library_(std::move(library)),
        id_(id),
        rank_(rank),
        size_(size),
        device_(device) {}

 protected:
  void wait() override { version_ = Communicator::instance().open(library_, id_, rank_, size_, device_); }
  Napi::Value result() override { return Napi::String::New(Env(), version_); }

 private:
  std::string library_;
  NcclId id_;
  int rank_, size_, device_;
  std::string version_;
};

// openNccl(library, id, rank, size, device): a promise of the library's name and version.
Napi::Value open_nccl(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto bytes = info[1].As<Napi::Uint8Array>();
    NcclId id{};
    if (bytes.ByteLength() != sizeof id.bytes) throw Error("ERR_ARGUMENT", "openNccl: expected an id of 128 bytes");
    std::memcpy(id.bytes, bytes.Data(), sizeof id.bytes);
    const auto number = [&](size_t i) { return info[i].ToNumber().Int32Value(); };
    auto* const worker =
        new OpenWorker(info.Env(), info[0].ToString().Utf8Value(), id, number(2), number(3), number(4));
    worker->Queue();
    return worker->promise();
  });
}

// closeNccl()
Napi::Value close_nccl(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Communicator::instance().close();
    return {};
  });
}

}  // namespace

void add_engine_exports(napi_env env, napi_value exports) {
  Napi::Object to(env, exports);
  const auto add = [&](const char* name, auto function) { to[name] = Napi::Function::New(env, function, name); };
  add("ncclId", nccl_id);
  add("openNccl", open_nccl);
  add("closeNccl", close_nccl);
}

}  // namespace selfnorm
