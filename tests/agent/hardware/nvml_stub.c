/* A libnvidia-ml.so.1 with two GPUs, for tests: the real binding loads it. The file named by NVML_STUB says what is
   wrong now: "fine", "vanished" (one GPU is gone), "lost" (GPU 1 answers with an error), "reset" (everything does). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int gpu, memory; } utilization_t;
enum { SUCCESS = 0, NOT_SUPPORTED = 3, GPU_IS_LOST = 15, UNKNOWN = 999 };

static int is(const char *wanted) {
    char now[32] = "";
    FILE *file = fopen(getenv("NVML_STUB"), "r");
    if (file) { if (!fgets(now, sizeof now, file)) now[0] = 0; fclose(file); }
    return strncmp(now, wanted, strlen(wanted)) == 0;
}
static int index_of(void *device) { return (int)(long)device - 1; }

int nvmlInitWithFlags(unsigned int flags) { (void)flags; return is("reset") ? UNKNOWN : SUCCESS; }
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { (void)code; return "stub error"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = is("vanished") ? 1 : 2; return is("reset") ? UNKNOWN : SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) { *device = (void *)(long)(index + 1); return SUCCESS; }
int nvmlDeviceGetUUID(void *device, char *text, unsigned int length) {
    snprintf(text, length, "GPU-%08d-0000-0000-0000-000000000000", index_of(device));
    return SUCCESS;
}
int nvmlDeviceGetName(void *device, char *text, unsigned int length) { (void)device; snprintf(text, length, "NVIDIA Stub 80GB"); return SUCCESS; }
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->total = 80ULL << 30; memory->free = 60ULL << 30; memory->used = 20ULL << 30;
    return is("lost") && index_of(device) == 1 ? GPU_IS_LOST : SUCCESS;
}
int nvmlDeviceGetUtilizationRates(void *device, utilization_t *rates) { (void)device; rates->gpu = 25; rates->memory = 1; return SUCCESS; }
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *degrees) { (void)device; (void)sensor; *degrees = 41; return SUCCESS; }
int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) { (void)device; *milliwatts = 70500; return index_of(device) == 1 ? NOT_SUPPORTED : SUCCESS; }
int nvmlSystemGetDriverVersion(char *text, unsigned int length) { snprintf(text, length, "570.86.15"); return SUCCESS; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12080; return SUCCESS; }
