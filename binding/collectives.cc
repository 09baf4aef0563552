// Collectives of tensors over the processes of a job, in the queue's order: begun, and waited for later, so that what
// comes in between runs meanwhile. A recorded step begins and waits in each replay.
#include "collectives.h"

#include <napi.h>

#include "guarded.h"
#include "promise_worker.h"
#include "runtime/communicator.h"

namespace selfnorm {
namespace {

Communicator& communicator() { return Communicator::instance(); }

// As calls of ops: the operand is what is written.
void run_all_reduce(const Call& call) { communicator().begin_all_reduce(call.queue, call.outputs[0]); }
void run_broadcast(const Call& call) {
  communicator().begin_broadcast(call.queue, call.outputs[0], int(call.integer(0)));
}
void run_finish(const Call& call) { communicator().finish(call.queue); }

// Runs a call, and notes it where a step is recorded.
void run_noted(Instance& instance, selfnorm::Queue& queue, OpFunction run, std::span<const View> operands,
               std::span<const std::shared_ptr<Storage>> storages, std::span<const double> params) {
  run({queue, {operands.data(), 0}, operands, params});
  if (instance.recording) instance.recording->call(run, operands, storages, 0, params, {});
}

// beginAllReduce(id): sums the tensor over all ranks, in place.
// beginBroadcast(id, root): gives it the values of one rank.
template <OpFunction run>
Napi::Value begin(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    const TensorRow* const row = instance.tensors.find(info[0].ToNumber().DoubleValue());
    if (row == nullptr) throw Error("ERR_DISPOSED", "expected a live tensor, got one that was disposed");
    const double root = info.Length() > 1 ? info[1].ToNumber().DoubleValue() : 0;
    run_noted(instance, *row->storage->queue, run, {&row->view, 1}, {&row->storage, 1}, {&root, 1});
    return {};
  });
}

// finishCollectives(queue, count): frame [ids...] of tensors whose memory is in use until here.
Napi::Value finish_collectives(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    selfnorm::Queue& queue = *instance.queues.at(info[0].ToNumber().Uint32Value());
    std::vector<View> views;
    std::vector<std::shared_ptr<Storage>> storages;
    for (uint32_t i = 0; i < info[1].ToNumber().Uint32Value(); ++i) {
      const TensorRow* const row = instance.tensors.find(instance.frame[i]);
      if (row == nullptr) throw Error("ERR_DISPOSED", "expected live tensors, got one that was disposed");
      views.push_back(row->view);
      storages.push_back(row->storage);
    }
    run_noted(instance, queue, run_finish, views, storages, {});
    return {};
  });
}

class CollectivesWorker : public PromiseWorker {
 public:
  explicit CollectivesWorker(Napi::Env env)
      : PromiseWorker(env, "selfnorm.collectives"), completion_(communicator().completion()) {}

 protected:
  void wait() override { completion_(); }
  Napi::Value result() override { return Env().Undefined(); }

 private:
  std::function<void()> completion_;
};

// collectivesDone(): a promise of the end of all that was begun.
Napi::Value collectives_done(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto* const worker = new CollectivesWorker(info.Env());
    worker->Queue();
    return worker->promise();
  });
}

}  // namespace

void add_collective_exports(napi_env env, napi_value exports) {
  Napi::Object to(env, exports);
  const auto add = [&](const char* name, auto function) { to[name] = Napi::Function::New(env, function, name); };
  add("beginAllReduce", begin<run_all_reduce>);
  add("beginBroadcast", begin<run_broadcast>);
  add("finishCollectives", finish_collectives);
  add("collectivesDone", collectives_done);
  add_engine_exports(env, exports);
}

}  // namespace selfnorm
