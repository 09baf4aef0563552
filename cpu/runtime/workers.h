// Worker threads of the CPU backend.
#pragma once

#include <cstdint>

namespace selfnorm {

// Threads a launch may use: SELFNORM_THREADS, else what OpenMP says.
int worker_count();

// Calls body(context) once a block with cpu_block set, blocks spread over the workers.
void run_blocks(int64_t blocks, void (*body)(void* context), void* context);

// Notes that the calling thread starts parallel work, for which OpenMP keeps it a team of threads.
void note_team();
// Ends the calling thread's team, if it has one; the next parallel work makes another.
void give_up_team();

}  // namespace selfnorm
