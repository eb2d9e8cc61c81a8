// What a self-contained bundle is started by, on arm64. Assembled with strings.s behind it; see starter.py.
//
// x19: where the kernel has put argc   x20: this program's path   x21: the variable LD_LIBRARY_PATH
        .globl _start
_start: mov     x19, sp
        sub     sp, sp, #4096
        sub     sp, sp, #256
        mov     x21, sp
        adr     x1, library_path
        ldp     x2, x3, [x1]
        stp     x2, x3, [x21]
        add     x20, x21, #16           // behind "LD_LIBRARY_PATH="
        mov     x0, #-100               // AT_FDCWD
        adr     x1, self
        mov     x2, x20
        mov     x3, #4096
        mov     x8, #78                 // readlinkat
        svc     #0
        cmp     x0, #0
        b.le    fail
        cmp     x0, #4096
        b.ge    fail
cut:    subs    x0, x0, #1
        b.mi    fail
        ldrb    w2, [x20, x0]
        cmp     w2, #'/'
        b.ne    cut
        add     x22, x20, x0
        strb    wzr, [x22]
        mov     x0, x20
        mov     x8, #49                 // chdir
        svc     #0
        tbnz    x0, #63, fail
        mov     w2, #'/'
        strb    w2, [x22], #1
        adr     x1, libraries
        ldr     x2, [x1]
        str     x2, [x22]
        ldur    x2, [x1, #7]
        stur    x2, [x22, #7]
        ldr     x0, [x19]               // argc
        add     x1, x19, x0, lsl #3
        add     x1, x1, #16             // the environment
        mov     x3, x1
count:  ldr     x2, [x3], #8
        cbnz    x2, count
        sub     x4, x3, x1              // with the null
        add     x4, x4, #8 + 15
        and     x4, x4, #-16            // sp keeps its alignment
        sub     sp, sp, x4
        mov     x2, sp
        mov     x5, sp
copy:   ldr     x4, [x1], #8
        cbz     x4, last
        str     x4, [x5], #8
        b       copy
last:   stp     x21, xzr, [x5]
        sub     sp, sp, #64
        adr     x0, python
        adr     x3, isolated
        adr     x4, no_site
        adr     x5, x
        adr     x6, utf8
        adr     x7, program
        stp     x0, x3, [sp]
        stp     x4, x5, [sp, #16]
        stp     x6, x7, [sp, #32]
        stp     xzr, xzr, [sp, #48]
        mov     x1, sp
        mov     x8, #221                // execve
        svc     #0
fail:   mov     x0, #2
        adr     x1, text
        mov     x2, #text_end - text
        mov     x8, #64                 // write
        svc     #0
        mov     x0, #127
        mov     x8, #93                 // exit
        svc     #0
