// The least that proves a CUDA toolkit, cuBLASLt and cuDNN to fit together: a kernel, the 16-bit types, and one call into
// each library.
#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cudnn_graph.h>

__global__ void scale_kernel(__nv_bfloat16* y, const __half* x, float factor, int size) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < size) y[i] = __float2bfloat16(factor * __half2float(x[i]));
}

extern "C" size_t check_cuda(__nv_bfloat16* y, const __half* x, int size) {
  scale_kernel<<<(size + 255) / 256, 256>>>(y, x, 2.0f, size);
  cudnnBackendDescriptor_t descriptor = nullptr;
  cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &descriptor);
  cudnnBackendDestroyDescriptor(descriptor);
  return cublasLtGetVersion() + cudnnGetVersion() + size_t(cudaGetLastError());
}
