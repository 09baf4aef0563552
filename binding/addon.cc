// The addon's exports that are not on the hot path: devices, creation from host data, reading back, memory. Both
// backends are built from this file; which one it is depends on the runtime/queue.h that the build puts on the include
// path.
#include <napi.h>

#include "runtime/kernel_choices.h"

#include "collectives.h"
#include "guarded.h"
#include "promise_worker.h"

namespace selfnorm {

Instance& instance_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Instance*>(data);
}

void throw_to_javascript(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return;
  try {
    throw;
  } catch (const Error& error) {
    napi_throw_error(env, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", "out of memory on the host");
  } catch (const std::exception& error) {
    napi_throw_error(env, "ERR_INTERNAL", error.what());
  } catch (...) {
    napi_throw_error(env, "ERR_INTERNAL", "unknown native failure");
  }
}

namespace {

TensorRow& live_row(Instance& instance, const Napi::Value& id) {
  TensorRow* const row = instance.tensors.find(id.ToNumber().DoubleValue());
  if (row == nullptr) throw Error("ERR_DISPOSED", "expected a live tensor, got one that was disposed");
  return *row;
}

size_t bytes_of(const TensorRow& row) { return size_t(row.view.size() * size_of(row.view.dtype)); }

Napi::Value list_devices(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const std::vector<DeviceInfo> devices = Queue::devices();
    Napi::Array result = Napi::Array::New(env, devices.size());
    for (uint32_t i = 0; i < devices.size(); ++i) {
      Napi::Object device = Napi::Object::New(env);
      device["name"] = devices[i].name;
      device["memory"] = double(devices[i].memory);
      for (const auto& [key, value] : devices[i].details) device[key] = value;
      result[i] = device;
    }
    return result;
  });
}

Napi::Value list_ops(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto& ops = Queue::ops().ops;
    Napi::Array result = Napi::Array::New(info.Env(), ops.size());
    for (uint32_t i = 0; i < ops.size(); ++i) result[i] = Napi::String::New(info.Env(), ops[i].name);
    return result;
  });
}

Napi::Value list_activations(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const auto& facts = Queue::ops().activations;
    Napi::Array result = Napi::Array::New(env, facts.size());
    for (uint32_t i = 0; i < facts.size(); ++i) {
      Napi::Object row = Napi::Object::New(env);
      row["name"] = facts[i].name;
      row["saves"] = facts[i].saves == Saves::kOutput ? "output" : "input";
      Napi::Array parameters = Napi::Array::New(env), kinks = Napi::Array::New(env);
      for (int p = 0; p < facts[i].parameter_count; ++p) {
        Napi::Object parameter = Napi::Object::New(env);
        parameter["name"] = facts[i].parameters[p].name;
        parameter["fallback"] = facts[i].parameters[p].fallback;
        parameter["minimum"] = facts[i].parameters[p].minimum;
        parameters[uint32_t(p)] = parameter;
      }
      for (int k = 0; k < facts[i].kink_count; ++k) kinks[uint32_t(k)] = facts[i].kinks[k];
      row["parameters"] = parameters;
      row["kinks"] = kinks;
      result[i] = row;
    }
    return result;
  });
}

// What was chosen among several engines so far.
Napi::Value list_kernel_choices(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const std::vector<KernelChoice> choices = kernel_choices();
    Napi::Array result = Napi::Array::New(env, choices.size());
    for (uint32_t i = 0; i < choices.size(); ++i) {
      Napi::Object row = Napi::Object::New(env);
      row["op"] = choices[i].op;
      row["problem"] = choices[i].problem;
      Napi::Array engines = Napi::Array::New(env);
      for (const auto& [name, milliseconds] : choices[i].engines) {
        Napi::Object engine = Napi::Object::New(env);
        engine["name"] = name;
        engine["milliseconds"] = milliseconds;
        engines[engines.Length()] = engine;
      }
      row["engines"] = engines;
      result[i] = row;
    }
    return result;
  });
}

// openQueue(device): number
Napi::Value open_queue(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto& queues = instance_of(info.Env()).queues;
    queues.push_back(std::make_unique<Queue>(info[0].ToNumber().Int32Value()));
    return Napi::Number::New(info.Env(), double(queues.size() - 1));
  });
}

// create(queue, object, bytes): frame [dtype, rank, dims...] -> [id]. Copies the bytes to the device.
Napi::Value create_tensor(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    const double* const frame = instance.frame;
    Queue& queue = *instance.queues.at(info[0].ToNumber().Uint32Value());
    View view;
    view.dtype = DType(int(frame[0]));
    view.rank = int(frame[1]);
    if (view.rank < 0 || view.rank > kMaxRank) throw Error("ERR_SHAPE", "tensor: rank: expected at most 8");
    for (int axis = 0; axis < view.rank; ++axis) view.dims[axis] = int64_t(frame[2 + axis]);
    const auto source = info[2].As<Napi::Uint8Array>();
    const size_t bytes = size_t(view.size() * size_of(view.dtype));
    if (source.ByteLength() != bytes) throw Error("ERR_SHAPE", "tensor: values: expected as many as the shape holds");
    instance.tensors.before_allocation(bytes);
    auto storage = std::make_shared<Storage>(&queue, bytes);
    queue.upload(storage->data, source.Data(), bytes, true);
    view.data = storage->data;
    instance.frame[0] = instance.tensors.add(info[1], std::move(storage), view);
    return {};
  });
}

// markVariable(id): from now on views of this tensor are copies, and ops may overwrite it.
Napi::Value mark_variable(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    live_row(instance_of(info.Env()), info[0]).storage->variable = true;
    return {};
  });
}

// write(id, bytes): overwrites a tensor with host data.
Napi::Value write_tensor(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    const TensorRow& row = live_row(instance, info[0]);
    const auto source = info[1].As<Napi::Uint8Array>();
    if (source.ByteLength() != bytes_of(row))
      throw Error("ERR_SHAPE", "write: expected as many bytes as the tensor holds");
    if (instance.recording) instance.recording->refuse("the host writes to a tensor");
    row.storage->queue->upload(row.view.data, source.Data(), source.ByteLength(), false);
    return {};
  });
}

// A tensor that the host reads, which a step that is recorded may not do.
TensorRow& read_row(const Napi::CallbackInfo& info) {
  Instance& instance = instance_of(info.Env());
  if (instance.recording) instance.recording->refuse("values are read back (data, dataSync or array)");
  return live_row(instance, info[0]);
}

Napi::Value read_sync(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const TensorRow& row = read_row(info);
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(info.Env(), bytes_of(row));
    row.storage->queue->download(buffer.Data(), row.view.data, buffer.ByteLength(), row.storage->variable)->wait();
    return buffer;
  });
}

// Waits for a download in the thread pool: the event loop stays free.
class ReadWorker : public PromiseWorker {
 public:
  ReadWorker(Napi::Env env, const TensorRow& row)
      : PromiseWorker(env, "selfnorm.read"),
        buffer_(Napi::Persistent(Napi::ArrayBuffer::New(env, bytes_of(row)))),
        storage_(row.storage),
        download_(storage_->queue->download(buffer_.Value().Data(), row.view.data, bytes_of(row), storage_->variable)) {
  }

 protected:
  void wait() override { download_->wait(); }
  Napi::Value result() override { return buffer_.Value(); }

 private:
  Napi::Reference<Napi::ArrayBuffer> buffer_;
  std::shared_ptr<Storage> storage_;  // keeps the source alive when the tensor is dropped meanwhile
  std::unique_ptr<Download> download_;
};

Napi::Value read_async(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    auto* const worker = new ReadWorker(info.Env(), read_row(info));
    worker->Queue();
    return worker->promise();
  });
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Instance& instance = instance_of(info.Env());
    const MemoryStats stats = instance.queues.at(info[0].ToNumber().Uint32Value())->memory();
    Napi::Object result = Napi::Object::New(info.Env());
    result["numTensors"] = double(instance.tensors.count());
    result["numBytes"] = double(instance.tensors.bytes());
    result["inUseBytes"] = double(stats.in_use);
    result["cachedBytes"] = double(stats.cached);
    result["peakBytes"] = double(stats.peak);
    const auto programs = instance.programs.alive();
    Napi::Array list = Napi::Array::New(info.Env(), programs.size());
    for (uint32_t i = 0; i < programs.size(); ++i) list[i] = program_facts(info.Env(), *programs[i]);
    result["programs"] = list;
    return result;
  });
}

Napi::Value sweep(const Napi::CallbackInfo& info) {
  instance_of(info.Env()).tensors.sweep();
  return {};
}

Napi::Value release_cache(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    instance_of(info.Env()).queues.at(info[0].ToNumber().Uint32Value())->release_cache();
    return {};
  });
}

// setMemoryLimit(queue, bytes): Infinity for none.
Napi::Value set_memory_limit(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const double bytes = info[1].ToNumber().DoubleValue();
    const size_t limit = bytes < 9007199254740992.0 ? size_t(bytes) : SIZE_MAX;
    instance_of(info.Env()).queues.at(info[0].ToNumber().Uint32Value())->set_memory_limit(limit);
    return {};
  });
}

// failAllocations(queue, first, count): for tests; see AllocationFaults. Gives the allocations since the last call.
Napi::Value fail_allocations(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Queue& queue = *instance_of(info.Env()).queues.at(info[0].ToNumber().Uint32Value());
    const int64_t seen = queue.fail_allocations(info[1].ToNumber().Int64Value(), info[2].ToNumber().Int64Value());
    return Napi::Number::New(info.Env(), double(seen));
  });
}

// setFloat32Precision(queue, fast)
Napi::Value set_float32_precision(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    instance_of(info.Env()).queues.at(info[0].ToNumber().Uint32Value())->fast_float32 = info[1].ToBoolean().Value();
    return {};
  });
}

Napi::Value synchronize(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    instance_of(info.Env()).queues.at(info[0].ToNumber().Uint32Value())->synchronize();
    return {};
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* const instance = new Instance(env);
  napi_set_instance_data(env, instance, nullptr, nullptr);
  // Runs before Node-API would call the remaining finalizers; after it none is left.
  napi_add_env_cleanup_hook(
      env, [](void* data) { delete static_cast<Instance*>(data); }, instance);

  Napi::Float64Array frame = Napi::Float64Array::New(env, kFrameLength);
  napi_create_reference(env, frame, 1, &instance->frame_reference);
  instance->frame = frame.Data();
  exports["frame"] = frame;
  exports["version"] = Napi::String::New(env, SELFNORM_VERSION);

  const auto add = [&](const char* name, auto function) { exports[name] = Napi::Function::New(env, function, name); };
  const auto add_hot = [&](const char* name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    exports[name] = Napi::Value(env, function);
  };
  add_hot("call", call_op);
  add_hot("alias", alias_tensor);
  add_hot("dispose", dispose_tensor);
  add("devices", list_devices);
  add("ops", list_ops);
  add("activations", list_activations);
  add("kernelChoices", list_kernel_choices);
  add("openQueue", open_queue);
  add("create", create_tensor);
  add("markVariable", mark_variable);
  add("write", write_tensor);
  add("readSync", read_sync);
  add("readAsync", read_async);
  add("memory", memory);
  add("sweep", sweep);
  add("releaseCache", release_cache);
  add("setMemoryLimit", set_memory_limit);
  add("failAllocations", fail_allocations);
  add("setFloat32Precision", set_float32_precision);
  add("synchronize", synchronize);
  add_program_exports(env, exports);
  add_collective_exports(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(selfnorm, init)

}  // namespace selfnorm
