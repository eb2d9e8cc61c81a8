// What a self-contained bundle is started by, on arm64. Assembled with strings.s behind it; see __init__.py.
//
// x19: where the kernel has put argc   x21, x23, x24: three texts of 4352 bytes each: the variable LD_LIBRARY_PATH, the
// path of Python, the path of what it runs   x20: this program's path, in the first   x22: the length of its folder's
        .globl  _start
_start: mov     x19, sp
        mov     x9, #3 * 4352
        sub     sp, sp, x9
        mov     x21, sp
        add     x23, x21, #4096
        add     x23, x23, #256
        add     x24, x23, #4096
        add     x24, x24, #256
        adr     x1, variable
        ldp     x2, x3, [x1]
        stp     x2, x3, [x21]
        add     x20, x21, #16
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
        mov     x22, x0
cut:    subs    x22, x22, #1
        b.mi    fail
        ldrb    w2, [x20, x22]
        cmp     w2, #'/'
        b.ne    cut
        add     x22, x22, #1            // with the slash
        mov     x0, x23
        adr     x1, python
        bl      join
        mov     x0, x24
        adr     x1, program
        bl      join
        add     x0, x20, x22
        adr     x1, libraries
        bl      tail
        ldr     x0, [x19]               // argc
        add     x1, x19, x0, lsl #3
        add     x1, x1, #16
        mov     x3, x1
count:  ldr     x2, [x3], #8
        cbnz    x2, count
        sub     x4, x3, x1              // with the null
        add     x4, x4, #8 + 15
        and     x4, x4, #-16            // sp keeps its alignment
        sub     sp, sp, x4
        mov     x2, sp                  // the environment
        mov     x5, sp
copy:   ldr     x4, [x1], #8
        cbz     x4, last
        str     x4, [x5], #8
        b       copy
last:   stp     x21, xzr, [x5]
        ldr     x0, [x19]
        cmp     x0, #1
        b.gt    given
        sub     sp, sp, #64
        adr     x3, isolated
        adr     x4, no_site
        adr     x5, x
        adr     x6, utf8
        stp     x23, x3, [sp]
        stp     x4, x5, [sp, #16]
        stp     x6, x24, [sp, #32]
        stp     xzr, xzr, [sp, #48]
        mov     x1, sp
        b       run
given:  str     x23, [x19, #8]
        add     x1, x19, #8
run:    mov     x0, x23
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

// The folder and the text at x1, to x0; at tail, the text alone.
join:   mov     x3, #0
each:   ldrb    w4, [x20, x3]
        strb    w4, [x0], #1
        add     x3, x3, #1
        cmp     x3, x22
        b.ne    each
tail:   ldrb    w4, [x1], #1
        strb    w4, [x0], #1
        cbnz    w4, tail
        ret
