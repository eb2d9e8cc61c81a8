# What a self-contained bundle is started by, on x86-64. Assembled with strings.s behind it; see starter.py.
#
# rbx: where the kernel has put argc   r12: this program's path   r13: the length of its folder's, without the slash
        .intel_syntax noprefix
        .globl _start
_start: mov     rbx, rsp
        sub     rsp, 4352
        lea     rsi, [rip + library_path]
        mov     rdi, rsp
        mov     ecx, 16
        rep movsb
        mov     r12, rdi                # behind "LD_LIBRARY_PATH="
        lea     rdi, [rip + self]
        mov     rsi, r12
        mov     edx, 4096
        mov     eax, 89                 # readlink
        syscall
        test    eax, eax
        jle     fail
        cmp     eax, 4096
        jge     fail
cut:    dec     eax
        js      fail
        cmp     byte ptr [r12 + rax], '/'
        jne     cut
        mov     r13, rax
        mov     byte ptr [r12 + r13], 0
        mov     rdi, r12
        mov     eax, 80                 # chdir
        syscall
        test    eax, eax
        js      fail
        mov     byte ptr [r12 + r13], '/'
        lea     rdi, [r12 + r13 + 1]
        lea     rsi, [rip + libraries]
        mov     ecx, 15
        rep movsb
        mov     rbp, rsp                # the variable
        mov     rax, [rbx]              # argc
        lea     rsi, [rbx + rax * 8 + 16]
        xor     ecx, ecx
count:  cmp     qword ptr [rsi + rcx * 8], 0
        lea     rcx, [rcx + 1]
        jne     count                   # lea leaves the flags; rcx counts the null too
        lea     rax, [rcx * 8 + 8]
        sub     rsp, rax
        mov     rdi, rsp
        dec     ecx
        rep movsq
        mov     [rdi], rbp
        mov     qword ptr [rdi + 8], 0
        mov     rdx, rsp                # the environment
        push    0
        lea     rax, [rip + program]
        push    rax
        lea     rax, [rip + utf8]
        push    rax
        lea     rax, [rip + x]
        push    rax
        lea     rax, [rip + no_site]
        push    rax
        lea     rax, [rip + isolated]
        push    rax
        lea     rdi, [rip + python]
        push    rdi
        mov     rsi, rsp
        mov     eax, 59                 # execve
        syscall
fail:   mov     edi, 2
        lea     rsi, [rip + text]
        mov     edx, offset text_end - text
        mov     eax, 1                  # write
        syscall
        mov     edi, 127
        mov     eax, 60                 # exit
        syscall
