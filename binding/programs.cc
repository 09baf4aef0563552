#include "programs.h"

#include <napi.h>

#include <exception>
#include <mutex>
#include <utility>

#include "guarded.h"
#include "instance.h"
#include "promise_worker.h"

namespace selfnorm {

// A Program with the memory it works on.
struct RecordedProgram {
  Recording::Result parts;
  int64_t accounted = 0;

  // The first failure of a replay: those that follow it would go on from half a step.
  std::exception_ptr failure() {
    std::lock_guard lock(mutex);
    return failed;
  }
  void fail(std::exception_ptr why) {
    std::lock_guard lock(mutex);
    if (!failed) failed = std::move(why);
  }

 private:
  std::mutex mutex;
  std::exception_ptr failed;
};

std::vector<std::shared_ptr<RecordedProgram>> ProgramList::alive() {
  std::vector<std::shared_ptr<RecordedProgram>> found;
  std::erase_if(programs_, [&](const auto& weak) {
    auto program = weak.lock();
    if (program) found.push_back(std::move(program));
    return weak.expired();
  });
  return found;
}

napi_value program_facts(napi_env env, const RecordedProgram& program) {
  Napi::Object facts = Napi::Object::New(env);
  facts["launches"] = double(program.parts.program->launches());
  facts["arenaBytes"] = double(program.parts.arena->bytes);
  facts["liveBytes"] = double(program.parts.live_bytes);
  return facts;
}

namespace {

using Handle = Napi::External<std::shared_ptr<RecordedProgram>>;

// A Program's memory is V8's to know of, as tensors' is: handles are collected like them.
void account(napi_env env, RecordedProgram& program, int64_t bytes) {
  int64_t total;
  napi_adjust_external_memory(env, bytes - program.accounted, &total);
  program.accounted = bytes;
}

std::shared_ptr<RecordedProgram>& program_of(const Napi::Value& handle) {
  std::shared_ptr<RecordedProgram>& program = *handle.As<Handle>().Data();
  if (!program) throw Error("ERR_DISPOSED", "program: expected a live Program, got one that was disposed");
  return program;
}

const TensorRow& row_of(Instance& instance, double id) {
  const TensorRow* const row = instance.tensors.find(id);
  if (row == nullptr) throw Error("ERR_DISPOSED", "program: expected live tensors, got one that was disposed");
  return *row;
}

// recordBegin(queue): frame [count, argument ids...] -> number of the first argument that must be copied, or -1.
Napi::Value record_begin(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    if (instance.recording) throw Error("ERR_INTERNAL", "program: expected no recording under way");
    auto recording = std::make_unique<Recording>(*instance.queues.at(info[0].ToNumber().Uint32Value()));
    const int count = int(instance.frame[0]);
    for (int i = 0; i < count; ++i) {
      if (!recording->argument(row_of(instance, instance.frame[1 + i]))) return Napi::Number::New(info.Env(), i);
    }
    instance.recording = std::move(recording);
    return Napi::Number::New(info.Env(), -1);
  });
}

// recordedHere(id): whether the recording that is under way made the tensor.
Napi::Value recorded_here(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    const TensorRow& row = row_of(instance, info[0].ToNumber().DoubleValue());
    return Napi::Boolean::New(info.Env(), instance.recording && instance.recording->makes(row));
  });
}

// recordEnd(): frame [count, result ids...] -> a handle, or the reason why there is none.
Napi::Value record_end(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    const std::unique_ptr<Recording> recording = std::move(instance.recording);
    if (!recording) throw Error("ERR_INTERNAL", "program: expected a recording under way");
    std::vector<const TensorRow*> outputs;
    for (int i = 0; i < int(instance.frame[0]); ++i) outputs.push_back(&row_of(instance, instance.frame[1 + i]));
    auto program = std::make_shared<RecordedProgram>();
    try {
      program->parts = recording->finish(outputs);
    } catch (const Error& error) {
      // The step has run as it should: what could not be had is its Program, for want of memory as a rule.
      return Napi::String::New(info.Env(), std::string("its Program could not be made: ") + error.what());
    }
    if (!program->parts.program) return Napi::String::New(info.Env(), recording->refusal());
    instance.programs.add(program);
    account(info.Env(), *program, int64_t(program->parts.arena->bytes));
    return Handle::New(info.Env(), new std::shared_ptr(program), [](Napi::Env env, auto* kept) {
      if (*kept) account(env, **kept, 0);
      delete kept;
    });
  });
}

// recordCancel()
Napi::Value record_cancel(const Napi::CallbackInfo& info) {
  instance_of(info.Env()).recording.reset();
  return {};
}

// Memory of one replay, held until it is done.
struct Replay {
  std::shared_ptr<RecordedProgram> program;
  std::vector<std::shared_ptr<Storage>> storages;  // of the arguments, then of the results
  std::vector<void*> addresses;

  void run(Queue& queue) {
    if (program->failure()) return;
    try {
      const Recording::Result& parts = program->parts;
      const size_t arguments = parts.argument_bytes.size();
      if (!parts.places.empty()) {
        for (size_t i = 0; i < arguments; ++i) queue.copy(parts.places[i], addresses[i], parts.argument_bytes[i]);
      }
      parts.program->replay(addresses);
      if (!parts.places.empty()) {
        for (size_t i = 0; i < parts.output_bytes.size(); ++i) {
          queue.copy(addresses[arguments + i], parts.places[arguments + i], parts.output_bytes[i]);
        }
      }
    } catch (...) {
      program->fail(std::current_exception());
    }
  }
};

// replay(handle, ...objects): frame [argument ids...] -> [result ids...]. The objects hold the results.
Napi::Value replay(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    auto work = std::make_shared<Replay>();
    work->program = program_of(info[0]);
    if (const std::exception_ptr failure = work->program->failure()) std::rethrow_exception(failure);
    const Recording::Result& parts = work->program->parts;
    Queue& queue = *parts.arena->queue;
    if (info.Length() != 1 + parts.outputs.size()) {
      throw Error("ERR_INTERNAL", "program: expected an object for each of its results");
    }
    for (size_t i = 0; i < parts.argument_bytes.size(); ++i) {
      const TensorRow& row = row_of(instance, instance.frame[i]);
      const bool fits = size_t(row.view.size() * size_of(row.view.dtype)) == parts.argument_bytes[i];
      if (!fits || row.storage->queue != &queue) {
        throw Error("ERR_INTERNAL", "program: expected arguments like those it was recorded with");
      }
      work->storages.push_back(row.storage);
      work->addresses.push_back(row.view.data);
    }
    std::vector<std::shared_ptr<Storage>> results;
    for (const size_t bytes : parts.output_bytes) {
      instance.tensors.before_allocation(bytes);
      results.push_back(std::make_shared<Storage>(&queue, bytes));
      work->storages.push_back(results.back());
      work->addresses.push_back(results.back()->data);
    }
    std::vector<double> ids;
    for (size_t i = 0; i < parts.outputs.size(); ++i) {
      const Recording::Output& output = parts.outputs[i];
      View view = output.view;
      view.data = static_cast<char*>(results[output.storage]->data) + output.offset;
      ids.push_back(instance.tensors.add(info[1 + i], results[output.storage], view));
    }
    std::copy(ids.begin(), ids.end(), instance.frame);
    queue.submit([work, &queue] { work->run(queue); });
    return {};
  });
}

// Waits in the thread pool for what was queued so far.
class SettleWorker : public PromiseWorker {
 public:
  SettleWorker(Napi::Env env, selfnorm::Queue& queue)
      : PromiseWorker(env, "selfnorm.settle"), completion_(queue.completion()) {}

 protected:
  void wait() override { completion_->wait(); }
  Napi::Value result() override { return Env().Undefined(); }

 private:
  std::unique_ptr<Completion> completion_;
};

// settle(queue): a promise of the end of what was queued so far.
Napi::Value settle(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto& queues = instance_of(info.Env()).queues;
    auto* const worker = new SettleWorker(info.Env(), *queues.at(info[0].ToNumber().Uint32Value()));
    worker->Queue();
    return worker->promise();
  });
}

// checkProgram(handle): throws what a replay failed with.
Napi::Value check_program(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    if (const std::exception_ptr failure = program_of(info[0])->failure()) std::rethrow_exception(failure);
    return {};
  });
}

Napi::Value describe_program(const Napi::CallbackInfo& info) {
  return guarded(
      info, [&]() -> Napi::Value { return Napi::Value(info.Env(), program_facts(info.Env(), *program_of(info[0]))); });
}

Napi::Value dispose_program(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    std::shared_ptr<RecordedProgram>& program = *info[0].As<Handle>().Data();
    if (program) account(info.Env(), *program, 0);
    program.reset();
    return {};
  });
}

}  // namespace

void add_program_exports(napi_env env, napi_value exports) {
  Napi::Object to(env, exports);
  const auto add = [&](const char* name, auto function) { to[name] = Napi::Function::New(env, function, name); };
  add("recordBegin", record_begin);
  add("recordedHere", recorded_here);
  add("recordEnd", record_end);
  add("recordCancel", record_cancel);
  add("replay", replay);
  add("settle", settle);
  add("checkProgram", check_program);
  add("describeProgram", describe_program);
  add("disposeProgram", dispose_program);
}

}  // namespace selfnorm
